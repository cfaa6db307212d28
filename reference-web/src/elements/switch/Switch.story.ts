import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Switch.ts"

export default {
  element: "kez-switch",
  states: {
    off: () => html`<kez-switch label="Show what was written" hint="Otherwise only who wrote."></kez-switch>`,
    on: () => html`<kez-switch checked label="Notify me when somebody writes"></kez-switch>`,
    disabled: () => html`<kez-switch disabled label="Notify me when somebody writes"></kez-switch>`
  }
} satisfies Story
