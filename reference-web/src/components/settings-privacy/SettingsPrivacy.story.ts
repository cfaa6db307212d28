import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsPrivacy.ts"

export default {
  element: "kez-settings-privacy",
  height: 780,
  states: {
    default: () =>
      html`<kez-settings-privacy
        .settings=${{ readReceipts: false, inbox: "everyone", autoTrim: false }}
      ></kez-settings-privacy>`,
    failed: () =>
      html`<kez-settings-privacy
        .settings=${{ readReceipts: true, inbox: "contacts", autoTrim: false }}
        failed="the settings could not be stored: the disk is full"
      ></kez-settings-privacy>`
  }
} satisfies Story
