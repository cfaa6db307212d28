import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./WordsSheet.ts"
const words =
  "ocean bread kitten silver ladder pepper window thunder basket velvet orange tunnel mirror candle forest button garden whisper anchor marble lemon rocket pillow title".split(
    " "
  )

export default {
  element: "kez-words-sheet",
  height: 780,
  states: {
    sheet: () =>
      html`<kez-words-sheet
        .words=${words}
        handle="chris@kez.lat"
        address="https://kez.lat/"
        .date=${1795946400000}
      ></kez-words-sheet>`
  }
} satisfies Story
