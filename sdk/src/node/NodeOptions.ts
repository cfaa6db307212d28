/** Options and errors of the Node entry, apart from it so that the assembly can name them without importing it. */
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { IrohOptions } from "../adapters/iroh/IrohBlobTransport.ts"
import type { NodeCryptoOptions } from "../adapters/node/NodeCrypto.ts"
import type { NodeProofOptions } from "../adapters/node/proofs/NodeProofs.ts"
import type { FetchProgress } from "../client/model/index.ts"
import type { Waiting } from "../promise/index.ts"
import type { AdapterUnavailable } from "../services/AdapterUnavailable.ts"
import type { BlobStoreError } from "../services/BlobStore.ts"
import type { StoreConflict, StoreError } from "../services/LocalStore.ts"
import type { Vault, VaultError } from "../services/Vault.ts"

export interface NodeOptions {
  /** Base URL of the home server: https, or http on this machine. */
  readonly home: string
  /**
   * Base URLs of other homes by server name, for those that are not at `https://<server>`: in a LAN, or on this machine.
   * Others are asked at public addresses only.
   */
  readonly homes?: Readonly<Record<string, string>>
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
   * machine, and for every other home the public relays of n0 (`default`), who then see which devices talk to each
   * other.
   */
  readonly relay?: IrohOptions["relay"]
  /** Which services are asked for proofs of other identities, and servers of one's own among them. */
  readonly proofs?: NodeProofOptions
  /** Give this device's addresses to nobody: all files go through relays. Not together with `direct`. */
  readonly relayOnly?: boolean
  /** `compatible` leaves the package `@kez-chat/iroh-native` aside, in favour of `@number0/iroh`. */
  readonly binding?: IrohOptions["binding"]
  /** Threads that help to open a backlog of mail: see {@link NodeCryptoOptions}. 0 starts none. */
  readonly workers?: NodeCryptoOptions["workers"]
}

/** Why an account in a folder cannot be opened. `StoreError` `locked`: another process has it open. */
export type NodeError = StoreError | StoreConflict | BlobStoreError | AdapterUnavailable | VaultError

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
