import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./StatusBar.ts"

export default {
  element: "kez-status-bar",
  states: {
    offline: () => html`<kez-status-bar .offlineSince=${Date.now() - 60_000}></kez-status-bar>`,
    "offline for long": () =>
      html`<kez-status-bar .offlineSince=${new Date(2026, 10, 1, 13, 40).getTime()}></kez-status-bar>`,
    suspended: () => html`<kez-status-bar refused="suspended" .offlineSince=${Date.now() - 60_000}></kez-status-bar>`,
    refused: () => html`<kez-status-bar refused="unauthorized" .offlineSince=${Date.now() - 60_000}></kez-status-bar>`,
    "new key elsewhere": () => html`<kez-status-bar moved></kez-status-bar>`,
    "no space": () => html`<kez-status-bar storeFailing="full"></kez-status-bar>`,
    "cannot store": () => html`<kez-status-bar storeFailing="io"></kez-status-bar>`,
    "catching up": () => html`<kez-status-bar .catchingUp=${{ taken: 3120, of: 10_000 }}></kez-status-bar>`
  }
} satisfies Story
