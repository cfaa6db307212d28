import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Creating.ts"

export default {
  element: "kez-creating",
  height: 780,
  states: {
    sealing: () => html`<kez-creating handle="chris@kez.lat" server="kez.lat"></kez-creating>`,
    registering: () => html`<kez-creating handle="chris@kez.lat" server="kez.lat" done="1"></kez-creating>`,
    publishing: () => html`<kez-creating handle="chris@kez.lat" server="kez.lat" done="2"></kez-creating>`,
    done: () => html`<kez-creating handle="chris@kez.lat" server="kez.lat" done="3"></kez-creating>`,
    failed: () =>
      html`<kez-creating
        handle="chris@kez.lat"
        server="kez.lat"
        done="1"
        failed="https://kez.lat cannot be used: the connection was refused"
      ></kez-creating>`,
    taken: () =>
      html`<kez-creating handle="chris@kez.lat" server="kez.lat" done="1" unavailable="taken"></kez-creating>`,
    refused: () =>
      html`<kez-creating handle="admin@kez.lat" server="kez.lat" done="1" unavailable="refused"></kez-creating>`
  }
} satisfies Story
