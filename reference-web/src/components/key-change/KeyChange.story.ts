import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./KeyChange.ts"

const box = ({ contact }: typeof Sample.whole) =>
  html`<kez-key-change name="chris" server="kez.lat" .contact=${contact}></kez-key-change>`

export default {
  element: "kez-key-change",
  states: {
    unexplained: () => box(Sample.replaced),
    "handed over": () => box(Sample.rotated),
    "to another system": () =>
      box({
        ...Sample.rotated,
        contact: {
          ...Sample.rotated.contact,
          offered: { primary: `nostr:npub1${"q".repeat(58)}`, origin: "handed_over" }
        }
      }),
    gone: () => box(Sample.gone),
    forked: () => box(Sample.forked)
  }
} satisfies Story
