import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsAccount.ts"
const primary = `ed25519:${"3f0b".repeat(16)}`

export default {
  element: "kez-settings-account",
  height: 780,
  states: {
    account: () => html`<kez-settings-account handle="chris@kez.lat" .primary=${primary}></kez-settings-account>`
  }
} satisfies Story
