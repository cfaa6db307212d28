/** The account: creating and restoring it, its sessions, its words, its export and its end. */
import * as Layer from "effect/Layer"
import * as Accounts from "./Accounts.ts"
import * as Lifecycle from "./Lifecycle.ts"
import * as OwnSigchain from "./OwnSigchain.ts"

export { Accounts, checkOwner } from "./Accounts.ts"
export { deleteAccount } from "./Deletion.ts"
export * as Export from "./Export.ts"
export { Lifecycle } from "./Lifecycle.ts"

/** Extending the account's sigchain, which publishing a manifest rests on too. */
export const sigchainLayer = OwnSigchain.layer

export const layer = Lifecycle.layer.pipe(Layer.provideMerge(Accounts.layer))
