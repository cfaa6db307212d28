import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsDanger.ts"

export default {
  element: "kez-settings-danger",
  height: 780,
  states: {
    danger: () => html`<kez-settings-danger handle="chris@kez.lat" messages="1204"></kez-settings-danger>`
  }
} satisfies Story
