import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./Profile.ts"

const profile = (verification = Sample.whole, more: { readonly own?: boolean; readonly removing?: boolean } = {}) =>
  html`<div class="padded">
    <kez-profile
      name="chris"
      server="kez.lat"
      .contact=${verification.contact}
      .verification=${verification}
      reportable
      ?own=${more.own}
      ?removing=${more.removing}
    ></kez-profile>
  </div>`

const withContact = (change: Partial<typeof Sample.contact>) => Sample.verificationOf(Sample.operations, change)

export default {
  element: "kez-profile",
  height: 780,
  states: {
    "not checked": () => profile(),
    checked: () => profile(withContact({ verified: true, verifiedAt: Date.parse("2026-11-29T12:00:00Z") })),
    "checked by an older version": () => profile(withContact({ verified: true })),
    changed: () => profile(Sample.replaced),
    forked: () => profile(Sample.forked),
    requested: () => profile(withContact({ state: "requested" })),
    blocked: () => profile(withContact({ state: "blocked" })),
    own: () => profile(Sample.whole, { own: true }),
    loading: () =>
      html`<div class="padded">
        <kez-profile name="chris" server="kez.lat" .contact=${Sample.contact}></kez-profile>
      </div>`,
    panel: () =>
      html`<div class="padded narrow">
        <kez-profile
          name="chris"
          server="kez.lat"
          panel
          .contact=${Sample.contact}
          .verification=${Sample.whole}
        ></kez-profile>
      </div>`,
    "long handle": () => profile(withContact({ handle: `${"a-very-long_name".repeat(2)}@${"sub.".repeat(20)}example` }))
  }
} satisfies Story
