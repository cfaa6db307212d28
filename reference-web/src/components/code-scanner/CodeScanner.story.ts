import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./CodeScanner.ts"

export default {
  element: "kez-code-scanner",
  states: {
    running: () => html`<kez-code-scanner name="chris" camera="running"></kez-code-scanner>`,
    refused: () => html`<kez-code-scanner name="chris" camera="refused"></kez-code-scanner>`,
    missing: () => html`<kez-code-scanner name="chris" camera="missing"></kez-code-scanner>`
  }
} satisfies Story
