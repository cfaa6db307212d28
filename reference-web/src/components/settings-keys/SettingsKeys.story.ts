import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsKeys.ts"

export default {
  element: "kez-settings-keys",
  height: 780,
  states: {
    keys: () => html`<kez-settings-keys></kez-settings-keys>`
  }
} satisfies Story
