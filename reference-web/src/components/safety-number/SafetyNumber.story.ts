import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./SafetyNumber.ts"

export default {
  element: "kez-safety-number",
  states: {
    number: () => html`<kez-safety-number .number=${Sample.whole.pinned.safetyNumber}></kez-safety-number>`
  }
} satisfies Story
