import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Welcome.ts"

export default {
  element: "kez-welcome",
  height: 780,
  states: {
    "new browser": () => html`<kez-welcome server="kez.lat"></kez-welcome>`,
    "key gone": () => html`<kez-welcome server="kez.lat" lost="chris@kez.lat"></kez-welcome>`,
    closed: () => html`<kez-welcome server="kez.lat" closed contact="mailto:abuse@kez.lat"></kez-welcome>`,
    "home server unreachable": () => html`<kez-welcome server="kez.lat" unreachable></kez-welcome>`
  }
} satisfies Story
