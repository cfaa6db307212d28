import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./Safety.ts"
import type { SafetyStep } from "./Safety.ts"

const safety = (verification = Sample.whole, step: SafetyStep = "compare", matchedAt?: number) =>
  html`<div class="padded">
    <kez-safety
      name="chris"
      server="kez.lat"
      .verification=${verification}
      .step=${step}
      .matchedAt=${matchedAt}
    ></kez-safety>
  </div>`

const checked = Sample.verificationOf(Sample.operations, { verified: true })

export default {
  element: "kez-safety",
  height: 780,
  states: {
    compare: () => safety(),
    "just matched": () => safety(checked, "compare", Date.parse("2026-11-29T12:00:00Z")),
    checked: () => safety(checked),
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
