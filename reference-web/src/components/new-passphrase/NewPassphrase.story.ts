import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./NewPassphrase.ts"

export default {
  element: "kez-new-passphrase",
  height: 780,
  states: {
    empty: () => html`<kez-new-passphrase handle="chris@kez.lat"></kez-new-passphrase>`,
    "too short": () => html`<kez-new-passphrase handle="chris@kez.lat" .first=${"short"}></kez-new-passphrase>`,
    common: () => html`<kez-new-passphrase handle="chris@kez.lat" .first=${"password123"}></kez-new-passphrase>`,
    good: () =>
      html`<kez-new-passphrase
        handle="chris@kez.lat"
        .first=${"paper moon lamp"}
        .second=${"paper moon lamp"}
      ></kez-new-passphrase>`,
    "does not match": () =>
      html`<kez-new-passphrase
        handle="chris@kez.lat"
        .first=${"paper moon lamp"}
        .second=${"paper noon lamp"}
      ></kez-new-passphrase>`,
    suggested: () =>
      html`<kez-new-passphrase handle="chris@kez.lat" suggested="ocean bread kitten silver"></kez-new-passphrase>`,
    sealing: () =>
      html`<kez-new-passphrase
        handle="chris@kez.lat"
        .first=${"paper moon lamp"}
        .second=${"paper moon lamp"}
        busy
      ></kez-new-passphrase>`
  }
} satisfies Story
