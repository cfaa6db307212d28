import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsAppearance.ts"

export default {
  element: "kez-settings-appearance",
  height: 780,
  states: {
    default: () => html`<kez-settings-appearance></kez-settings-appearance>`
  }
} satisfies Story
