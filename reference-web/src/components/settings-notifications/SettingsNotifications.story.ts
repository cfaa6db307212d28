import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsNotifications.ts"

export default {
  element: "kez-settings-notifications",
  height: 780,
  states: {
    off: () => html`<kez-settings-notifications></kez-settings-notifications>`,
    on: () => html`<kez-settings-notifications notify withText permission="granted"></kez-settings-notifications>`,
    forbidden: () => html`<kez-settings-notifications permission="denied"></kez-settings-notifications>`,
    none: () => html`<kez-settings-notifications permission="none"></kez-settings-notifications>`
  }
} satisfies Story
