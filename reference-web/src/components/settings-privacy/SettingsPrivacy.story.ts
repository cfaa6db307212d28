import type { Settings } from "@kez-chat/sdk/promise"
import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsPrivacy.ts"

const settings: Settings = {
  readReceipts: false,
  inbox: "everyone",
  provenBy: { systems: [], domains: [] },
  introductions: false,
  autoTrim: false
}

export default {
  element: "kez-settings-privacy",
  height: 780,
  states: {
    default: () => html`<kez-settings-privacy .settings=${settings}></kez-settings-privacy>`,
    proven: () =>
      html`<kez-settings-privacy
        .settings=${
          {
            ...settings,
            inbox: "proven",
            provenBy: { systems: ["dns", "github"], domains: ["example.org"] },
            introductions: true
          } satisfies Settings
        }
      ></kez-settings-privacy>`,
    failed: () =>
      html`<kez-settings-privacy
        .settings=${{ ...settings, readReceipts: true, inbox: "contacts" } satisfies Settings}
        failed="the settings could not be stored: the disk is full"
      ></kez-settings-privacy>`
  }
} satisfies Story
