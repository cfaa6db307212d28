/** What other accounts share: browsing it, resolving a reference to a file, and fetching it from its owner's device. */
import * as Layer from "effect/Layer"
import * as Addresses from "./Addresses.ts"
import * as Browsing from "./Browsing.ts"
import * as Sources from "./Sources.ts"

export { Addresses } from "./Addresses.ts"
export { Browsing } from "./Browsing.ts"
export { discard, pruneDownloads } from "./Discard.ts"
export { matches } from "./Matches.ts"
export * as Offers from "./Offers.ts"
export { read } from "./Read.ts"
export * as Transfers from "./Transfers.ts"

export const layer = Layer.mergeAll(Addresses.layer, Sources.layer).pipe(Layer.provideMerge(Browsing.layer))
