import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./Safety.ts"
import type { SafetyStep } from "./Safety.ts"

const safety = (verification = Sample.whole, step: SafetyStep = "compare", unasked = false) =>
  html`<div class="padded">
    <kez-safety
      name="chris"
      server="kez.lat"
      .verification=${verification}
      .step=${step}
      ?unasked=${unasked}
    ></kez-safety>
  </div>`

const checked = (verifiedAt = {}) => Sample.verificationOf(Sample.operations, { verified: true, ...verifiedAt })

export default {
  element: "kez-safety",
  height: 780,
  states: {
    compare: () => safety(),
    "not asked": () => safety(Sample.whole, "compare", true),
    checked: () => safety(checked({ verifiedAt: Date.parse("2026-11-29T12:00:00Z") })),
    "checked by an older version": () => safety(checked()),
    differ: () => safety(Sample.whole, "differ"),
    "another code": () => safety(Sample.whole, "other"),
    requested: () => safety(Sample.verificationOf(Sample.operations, { state: "requested" })),
    blocked: () => safety(Sample.verificationOf(Sample.operations, { state: "blocked" })),
    unexplained: () => safety(Sample.replaced),
    "unexplained, differ": () => safety(Sample.replaced, "differ"),
    "handed over": () => safety(Sample.rotated),
    gone: () => safety(Sample.gone),
    kept: () => safety({ ...Sample.replaced, contact: { ...Sample.replaced.contact, state: "accepted", kept: true } })
  }
} satisfies Story
