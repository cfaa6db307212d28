import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Ready.ts"

export default {
  element: "kez-ready",
  height: 780,
  states: {
    offers: () => html`<kez-ready handle="chris@kez.lat" passkey="offer" storage="offer"></kez-ready>`,
    answered: () => html`<kez-ready handle="chris@kez.lat" passkey="done" storage="failed"></kez-ready>`,
    "nothing offered": () => html`<kez-ready handle="chris@kez.lat"></kez-ready>`,
    iphone: () => html`<kez-ready handle="chris@kez.lat" storage="offer" homeScreen></kez-ready>`
  }
} satisfies Story
