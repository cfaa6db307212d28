import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./WordsStep.ts"
const words =
  "ocean bread kitten silver ladder pepper window thunder basket velvet orange tunnel mirror candle forest button garden whisper anchor marble lemon rocket pillow title".split(
    " "
  )

export default {
  element: "kez-words-step",
  height: 780,
  states: {
    hidden: () => html`<kez-words-step .words=${words}></kez-words-step>`,
    shown: () => html`<kez-words-step .words=${words} shown></kez-words-step>`,
    "hidden again": () => html`<kez-words-step .words=${words} seen></kez-words-step>`
  }
} satisfies Story
