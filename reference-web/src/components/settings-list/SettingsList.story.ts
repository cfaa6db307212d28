import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsList.ts"
const primary = `ed25519:${"3f0b".repeat(16)}`

export default {
  element: "kez-settings-list",
  height: 780,
  states: {
    list: () => html`<kez-settings-list handle="chris@kez.lat" .primary=${primary}></kez-settings-list>`,
    reminder: () => html`<kez-settings-list handle="chris@kez.lat" .primary=${primary} reminder></kez-settings-list>`
  }
} satisfies Story
