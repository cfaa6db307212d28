/** The account: creating and restoring it, its sessions, its words, its export and its end. */
import * as Layer from "effect/Layer"
import * as Accounts from "./Create.ts"
import * as Lifecycle from "./Lifecycle.ts"
import * as OwnSigchain from "./OwnSigchain.ts"

export { Accounts, checkOwner } from "./Create.ts"
export { deleteAccount } from "./Delete.ts"
export * as Export from "./Export.ts"
export { Lifecycle } from "./Lifecycle.ts"

/** Extending the account's sigchain, which publishing a manifest rests on too. */
export const sigchainLayer = OwnSigchain.layer

export const layer = Lifecycle.layer.pipe(Layer.provideMerge(Accounts.layer))
