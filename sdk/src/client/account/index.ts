/** The account: creating and restoring it, its words, its sessions, its export and its deletion. */
import * as Lifecycle from "./Lifecycle.ts"
import * as OwnSigchain from "./OwnSigchain.ts"

export { create } from "./Create.ts"
export { deleteAccount } from "./Delete.ts"
export { exportAccount } from "./Export.ts"
export { Lifecycle } from "./Lifecycle.ts"
export { report } from "./Report.ts"
export * as Rotate from "./Rotate.ts"
export { restore } from "./Restore.ts"
export { checkOwner } from "./Seed.ts"
export { words } from "./Words.ts"

/** Extending the account's sigchain, which `files/share` uses to anchor manifests. */
export const sigchainLayer = OwnSigchain.layer

export const layer = Lifecycle.layer
