/** Proofs of identities elsewhere: checking those of others, and making the own ones. */
import * as Layer from "effect/Layer"
import * as Proofs from "./Proofs.ts"
import * as Proving from "./Proving.ts"

export { Proofs } from "./Proofs.ts"
export { Proving } from "./Proving.ts"

export const layer = Proving.layer.pipe(Layer.provideMerge(Proofs.layer))
