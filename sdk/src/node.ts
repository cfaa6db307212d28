/**
 * kez-chat for Node: an account in one folder, in one call.
 *
 * {@link openNode} gives promises, {@link layer} gives Effect's `KezChat`. The parts they are made of are here too, and
 * under subpaths of their own. The assembly is loaded when it is first used, so importing this entry costs little.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { KezChat } from "./client/KezChat.ts"
import type { KezChatClient } from "./promise/index.ts"
import type { AdapterUnavailable } from "./services/AdapterUnavailable.ts"
import type { StoreConflict, StoreError } from "./services/LocalStore.ts"
import type { Vault, VaultError } from "./services/Vault.ts"

export * from "./adapters/node/index.ts"

export interface NodeOptions {
  /** Base URL of the home server: https, or http on this machine. */
  readonly home: string
  /** Folder of this account alone; it is made (0700) where it is missing. One process at a time can have it open. */
  readonly dir: string
  /** Encrypts the seed in `dir/seed.json`. Without it the seed goes to the OS keychain (`@napi-rs/keyring`). */
  readonly passphrase?: string | Redacted.Redacted<string>
  /** Another place for the seed; then `passphrase` is not used. */
  readonly vault?: Layer.Layer<Vault, AdapterUnavailable | VaultError>
  /** See `Options.offline` of `KezChat`. */
  readonly offline?: boolean
}

/** Why an account in a folder cannot be opened. `StoreError` `locked`: another process has it open. */
export type NodeError = StoreError | StoreConflict | AdapterUnavailable | VaultError

/** The account in `options.dir`, on SQLite, node:crypto, HTTP and NATS over TCP. */
export const layer = (options: NodeOptions): Layer.Layer<KezChat, NodeError> =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./nodeAssembly.ts")),
      (assembly) => assembly.layer(options)
    )
  )

/** Opens the account in `options.dir`; before `create` or `restore` there is none in it. Rejects with a {@link NodeError}. */
export const openNode = async (options: NodeOptions): Promise<KezChatClient> => {
  const { open } = await import("./promise/index.ts")
  return open(layer(options))
}
