import type { Listing } from "@kez-chat/sdk/promise"
import { html } from "lit"
import * as Sample from "../../gallery/FileSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./FileList.ts"

const list = (listing: Listing, own = false) =>
  html`<div class="padded">
    <kez-file-list name="chris" who="chris" server="kez.lat" .listing=${listing} ?own=${own}></kez-file-list>
  </div>`

export default {
  element: "kez-file-list",
  height: 780,
  states: {
    some: () => list(Sample.listing(Sample.some)),
    stale: () => list(Sample.listing(Sample.some, { source: "kept" })),
    none: () => list(Sample.listing([])),
    own: () => list(Sample.listing(Sample.some), true),
    "own, none": () => list(Sample.listing([]), true),
    hostile: () => list(Sample.listing(Sample.hostile))
  }
} satisfies Story
