import { html } from "lit"
import { act } from "../../gallery/Act.ts"
import type { Story } from "../../gallery/Story.ts"
import "./Composer.ts"
import type { Composer } from "./Composer.ts"

const composer = (draft: string) => html`<kez-composer name="chris" .draft=${draft}></kez-composer>`

export default {
  element: "kez-composer",
  states: {
    "not saved": () => html`<kez-composer name="chris" unsaved="the disk is full"></kez-composer>`,
    empty: () => composer(""),
    draft: () => composer("Shall we meet on Monday?\nI can bring the plans."),
    long: () => composer("A line of text.\n".repeat(30)),
    "near the limit": () => composer("x".repeat(40_000)),
    "too long": () => composer("x".repeat(42_000)),
    "not sent": () =>
      html`<kez-composer name="chris" .draft=${"Hello"} problem="the store of this browser is full"></kez-composer>`,
    notes: () => html`<kez-composer></kez-composer>`,
    file: () =>
      html`<kez-composer
        name="chris"
        ${act((composer) => (composer as Composer).offer("holiday photos.zip"))}
      ></kez-composer>`
  }
} satisfies Story
