/** Identities elsewhere that accounts claim: what is known of each, and how one is checked. */
import * as Layer from "effect/Layer"
import * as ClaimBook from "./ClaimBook.ts"
import * as ProofCheck from "./ProofCheck.ts"

export { ClaimBook, type Due, type Saving } from "./ClaimBook.ts"
export * as ClaimState from "./ClaimState.ts"
export { ProofCheck } from "./ProofCheck.ts"

export const layer = Layer.mergeAll(ClaimBook.layer, ProofCheck.layer)
