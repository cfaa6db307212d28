import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./RestoreWords.ts"
const words =
  "ocean bread kitten silver ladder pepper window thunder basket velvet orange tunnel mirror candle forest button garden whisper anchor marble lemon rocket pillow title".split(
    " "
  )

export default {
  element: "kez-restore-words",
  height: 780,
  states: {
    empty: () => html`<kez-restore-words></kez-restore-words>`,
    some: () => html`<kez-restore-words .words=${words.slice(0, 9)}></kez-restore-words>`,
    complete: () => html`<kez-restore-words .words=${words}></kez-restore-words>`,
    "unknown word": () =>
      html`<kez-restore-words
        .words=${words.with(6, "windwo")}
        .found=${{ ok: false, reason: "word", index: 6, count: 24, suggestions: ["window", "wind"] } as const}
      ></kez-restore-words>`,
    checksum: () =>
      html`<kez-restore-words
        .words=${words}
        .found=${{ ok: false, reason: "checksum", count: 24 } as const}
      ></kez-restore-words>`
  }
} satisfies Story
