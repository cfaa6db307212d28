import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./NameStep.ts"

export default {
  element: "kez-name-step",
  height: 780,
  states: {
    empty: () => html`<kez-name-step server="kez.lat"></kez-name-step>`,
    checking: () => html`<kez-name-step server="kez.lat" name="chris" .status=${"checking"}></kez-name-step>`,
    free: () => html`<kez-name-step server="kez.lat" name="chris" .status=${"free"}></kez-name-step>`,
    taken: () =>
      html`<kez-name-step
        server="kez.lat"
        name="chris"
        .status=${"taken"}
        .suggestions=${["chris-1", "the-chris", "chris_26"]}
      ></kez-name-step>`,
    reserved: () => html`<kez-name-step server="kez.lat" name="admin" .status=${"reserved"}></kez-name-step>`,
    invite: () =>
      html`<kez-name-step
        server="kez.lat"
        name="chris"
        .status=${"free"}
        .invite=${"k4x7mq2"}
        .operator=${{ terms: "https://kez.lat/terms", privacy: "https://kez.lat/privacy", contact: "mailto:a@kez.lat" }}
      ></kez-name-step>`,
    closed: () => html`<kez-name-step server="kez.lat" name="chris" .status=${"free"} closed></kez-name-step>`,
    "too short": () => html`<kez-name-step server="kez.lat" name="ch"></kez-name-step>`,
    "wrong character": () => html`<kez-name-step server="kez.lat" name="chris!"></kez-name-step>`,
    "rate limited": () =>
      html`<kez-name-step
        server="kez.lat"
        name="chris"
        .status=${{ limitedUntil: new Date(2026, 10, 29, 14, 5).getTime() }}
      ></kez-name-step>`,
    unreachable: () => html`<kez-name-step server="kez.lat" name="chris" .status=${"unreachable"}></kez-name-step>`
  }
} satisfies Story
