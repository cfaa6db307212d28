import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Restored.ts"

export default {
  element: "kez-restored",
  height: 780,
  states: {
    looking: () => html`<kez-restored server="kez.lat" .progress=${{ _tag: "looking" }}></kez-restored>`,
    found: () =>
      html`<kez-restored
        server="kez.lat"
        .progress=${{ _tag: "back", handle: "chris@kez.lat", taken: 0, of: 0 }}
      ></kez-restored>`,
    "bringing back": () =>
      html`<kez-restored
        server="kez.lat"
        .progress=${{ _tag: "back", handle: "chris@kez.lat", taken: 3120, of: 10000 }}
      ></kez-restored>`,
    "all back": () =>
      html`<kez-restored
        server="kez.lat"
        .progress=${{ _tag: "back", handle: "chris@kez.lat", taken: 10000, of: 10000 }}
      ></kez-restored>`,
    "nothing found": () => html`<kez-restored server="kez.lat" .progress=${{ _tag: "nothing" }}></kez-restored>`,
    failed: () =>
      html`<kez-restored
        server="kez.lat"
        .progress=${{ _tag: "failed", detail: "https://kez.lat cannot be used: the connection was refused" }}
      ></kez-restored>`
  }
} satisfies Story
