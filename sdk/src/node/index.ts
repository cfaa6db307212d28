/**
 * kez-chat for Node: an account in one folder, in one call.
 *
 * {@link openNode} gives promises, {@link layer} gives Effect's `KezChat`. The parts they are made of are here too, and
 * under subpaths of their own. The assembly is loaded when it is first used, so importing this entry costs little.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { SavedFile } from "../adapters/node/FileTarget.ts"
import type { IrohOptions } from "../adapters/iroh/IrohBlobTransport.ts"
import type { FetchProgress, Share, ShareOptions } from "../client/model/index.ts"
import type { KezChat } from "../client/KezChat.ts"
import type { KezChatClient, Waiting } from "../promise/index.ts"
import type { AdapterUnavailable } from "../services/AdapterUnavailable.ts"
import type { BlobStoreError } from "../services/BlobStore.ts"
import type { StoreConflict, StoreError } from "../services/LocalStore.ts"
import type { Vault, VaultError } from "../services/Vault.ts"

export * from "../adapters/node/index.ts"

export interface NodeOptions {
  /** Base URL of the home server: https, or http on this machine. */
  readonly home: string
  /** Folder of this account alone; it is made (0700) where it is missing. One process at a time can have it open. */
  readonly dir: string
  /** Encrypts the seed in `dir/seed.json`. Without it the seed goes to the OS keychain (`@napi-rs/keyring`). */
  readonly passphrase?: string | Redacted.Redacted<string>
  /** Another place for the seed; then `passphrase` is not used. */
  readonly vault?: Layer.Layer<Vault, AdapterUnavailable | VaultError>
  /** See `Options` of `KezChat`. */
  readonly offline?: boolean
  readonly primary?: string
  /**
   * Which relays help where two devices cannot reach each other directly. Default: none (`direct`) for a home on this
   * machine, and for every other home the public relays of n0 (`default`), who then see which devices talk to each other.
   */
  readonly relay?: IrohOptions["relay"]
  /** Give this device's addresses to nobody: all files go through relays. Not together with `direct`. */
  readonly relayOnly?: boolean
}

/** Why an account in a folder cannot be opened. `StoreError` `locked`: another process has it open. */
export type NodeError = StoreError | StoreConflict | BlobStoreError | AdapterUnavailable | VaultError

/**
 * The account in `options.dir`, on SQLite, node:crypto, HTTP and NATS over TCP. Files go over Iroh where the package
 * `@number0/iroh` is installed; without it everything else works.
 */
export const layer = (options: NodeOptions): Layer.Layer<KezChat, NodeError> =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./Assembly.ts")),
      (assembly) => assembly.layer(options)
    )
  )

/** Opens the account in `options.dir`; before `create` or `restore` there is none in it. Rejects with a {@link NodeError}. */
export const openNode = async (options: NodeOptions): Promise<KezChatClient> => {
  const { open } = await import("../promise/index.ts")
  return open(layer(options))
}

/** Shares the file at a path. See `KezChat.share`; rejects with a `FileError` where the file cannot be read. */
export const sharePath = async (
  client: KezChatClient,
  path: string,
  options: Omit<ShareOptions, "file">,
  waiting?: Waiting
): Promise<Share> => {
  const files = await import("./Files.ts")
  return files.sharePath(client, path, options, waiting)
}

/** Where and how a fetched file is saved. */
export interface FetchToOptions extends Waiting {
  /** A folder that is there. */
  readonly folder: string
  /** Another name than its owner's. Either becomes one that is safe on every system. */
  readonly name?: string
  /** Replaces a file of the same name; without it that is a `FileError` `exists`, before anything is fetched. */
  readonly overwrite?: boolean
  /** Called with each step of the way. */
  readonly onProgress?: (progress: FetchProgress) => void
}

/**
 * Fetches a file (`what` as `KezChat.fetch` takes it), saves it whole or not at all, and lets go of its encrypted blob.
 * Waits while the owner is away, until `signal` is aborted; called again, it goes on where it stopped.
 */
export const fetchTo = async (client: KezChatClient, what: string, options: FetchToOptions): Promise<SavedFile> => {
  const files = await import("./Files.ts")
  return files.fetchTo(client, what, options)
}
