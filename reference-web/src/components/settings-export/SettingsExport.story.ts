import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsExport.ts"

export default {
  element: "kez-settings-export",
  height: 780,
  states: {
    before: () => html`<kez-settings-export></kez-settings-export>`,
    "under way": () => html`<kez-settings-export .count=${2400} busy></kez-settings-export>`,
    saved: () => html`<kez-settings-export .count=${11832}></kez-settings-export>`,
    failed: () => html`<kez-settings-export failed="the disk is full"></kez-settings-export>`
  }
} satisfies Story
