import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Broken.ts"

export default {
  element: "kez-broken",
  height: 780,
  states: {
    "not https": () => html`<kez-broken reason="insecure" detail=""></kez-broken>`,
    "keeps nothing": () =>
      html`<kez-broken reason="no_storage" detail="InvalidStateError: the database did not open"></kez-broken>`,
    "too old": () => html`<kez-broken reason="too_old" detail=""></kez-broken>`,
    damaged: () => html`<kez-broken reason="damaged" detail="the vault record fails its checksum"></kez-broken>`,
    full: () => html`<kez-broken reason="full" detail=""></kez-broken>`,
    "not started": () => html`<kez-broken reason="not_started" detail=""></kez-broken>`,
    cleared: () => html`<kez-broken reason="cleared" detail=""></kez-broken>`,
    newer: () => html`<kez-broken reason="newer" detail=""></kez-broken>`
  }
} satisfies Story
