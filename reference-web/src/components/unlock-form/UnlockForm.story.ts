import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./UnlockForm.ts"
const primary = `ed25519:${"3f0b".repeat(16)}`

export default {
  element: "kez-unlock-form",
  height: 780,
  states: {
    passphrase: () => html`<kez-unlock-form handle="chris@kez.lat" .primary=${primary}></kez-unlock-form>`,
    passkey: () => html`<kez-unlock-form handle="chris@kez.lat" .primary=${primary} passkey></kez-unlock-form>`,
    opening: () => html`<kez-unlock-form handle="chris@kez.lat" .primary=${primary} busy></kez-unlock-form>`,
    wrong: () =>
      html`<kez-unlock-form handle="chris@kez.lat" .primary=${primary} .problemFound=${"wrong"}></kez-unlock-form>`,
    damaged: () =>
      html`<kez-unlock-form handle="chris@kez.lat" .primary=${primary} .problemFound=${"damaged"}></kez-unlock-form>`,
    "passkey failed": () =>
      html`<kez-unlock-form
        handle="chris@kez.lat"
        .primary=${primary}
        passkey
        .problemFound=${"passkey"}
      ></kez-unlock-form>`
  }
} satisfies Story
