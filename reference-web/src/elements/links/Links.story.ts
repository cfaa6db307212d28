import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Links.ts"

export default {
  element: "kez-links",
  states: {
    queued: () => html`<kez-links state="queued"></kez-links> Waiting`,
    stored: () => html`<kez-links state="stored"></kez-links> Sent`,
    delivered: () => html`<kez-links state="delivered"></kez-links> Delivered`,
    read: () => html`<kez-links state="read"></kez-links> Read`,
    failed: () => html`<kez-links state="failed"></kez-links> Not sent`
  }
} satisfies Story
