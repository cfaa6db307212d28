import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsAbout.ts"

export default {
  element: "kez-settings-about",
  height: 780,
  states: {
    about: () => html`<kez-settings-about server="kez.lat" version="29 November 2026"></kez-settings-about>`
  }
} satisfies Story
