import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./WordsCheck.ts"
const words =
  "ocean bread kitten silver ladder pepper window thunder basket velvet orange tunnel mirror candle forest button garden whisper anchor marble lemon rocket pillow title".split(
    " "
  )

export default {
  element: "kez-words-check",
  height: 780,
  states: {
    empty: () => html`<kez-words-check .words=${words} .places=${[2, 6, 12, 20]}></kez-words-check>`,
    wrong: () =>
      html`<kez-words-check
        .words=${words}
        .places=${[2, 6, 12, 20]}
        checked
        .typed=${{ 2: words[2]!, 6: "winter", 12: words[12]! }}
      ></kez-words-check>`,
    right: () => html`<kez-words-check .words=${words} .places=${[2, 6, 12, 20]} right></kez-words-check>`
  }
} satisfies Story
