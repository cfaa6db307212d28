import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Copy.ts"

export default {
  element: "kez-copy",
  states: {
    command: () => html`<kez-copy text="npx kez-chat fetch @chris/plans.pdf"></kez-copy>`,
    long: () => html`<kez-copy text=${`ed25519:${"3f".repeat(32)}`}></kez-copy>`
  }
} satisfies Story
