import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./WordsIntro.ts"

export default {
  element: "kez-words-intro",
  height: 780,
  states: {
    intro: () => html`<kez-words-intro name="chris"></kez-words-intro>`
  }
} satisfies Story
