import { html } from "lit"
import { ref } from "lit/directives/ref.js"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import type { Chain } from "./Chain.ts"
import "./Chain.ts"

const chain = (verification: Chain["verification"], own = false) =>
  html`<div class="padded">
    <kez-chain name="chris" server="kez.lat" .verification=${verification} ?own=${own}></kez-chain>
  </div>`

/** Opens the details of the first link. */
const opened = (element: Element | undefined): void => {
  queueMicrotask(async () => {
    const chain = element?.querySelector("kez-chain")
    await chain?.updateComplete
    chain?.renderRoot.querySelector("summary")?.click()
  })
}

export default {
  element: "kez-chain",
  height: 780,
  states: {
    whole: () => chain(Sample.whole),
    details: () => html`<div ${ref(opened)}>${chain(Sample.whole)}</div>`,
    own: () => chain(Sample.whole, true),
    rotated: () => chain(Sample.rotated),
    forked: () => chain(Sample.forked),
    "rolled back": () => chain(Sample.rolledBack),
    "claimed more": () => chain(Sample.claimedMore),
    hostile: () => chain(Sample.verificationOf(Sample.hostile)),
    unavailable: () => chain({ ...Sample.whole, events: [], endpoints: [], claims: [] }),
    empty: () => chain(Sample.verificationOf([]))
  }
} satisfies Story
