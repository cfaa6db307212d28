/**
 * Blobs from device to device: the iroh-blobs protocol (`/iroh-bytes/4`) between endpoints that are named by their
 * Ed25519 keys (spec: files, transport).
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Verified } from "../protocol/files/BlobAnswer.ts"
import type { ChunkRanges } from "../protocol/files/ChunkRanges.ts"
import type { AdmittedKey } from "../protocol/identity/KeyAdmission.ts"
import type { Problem } from "../protocol/Problem.ts"
import type { StoredBlob } from "./BlobStore.ts"
import { LocalCause } from "./LocalCause.ts"

/**
 * The network or the peer said no. `unavailable`: this device has no transport, or it could not be set up. `unreachable`:
 * nobody answered in time, or the connection was lost. `refused`: the peer does not give us this blob, whether it has it
 * or not. `busy`: the peer has too much to do. `closed`: the endpoint here was closed.
 */
export class BlobTransportError extends Schema.TaggedError<BlobTransportError>()("BlobTransportError", {
  reason: Schema.Literals(["unavailable", "unreachable", "refused", "busy", "closed"]),
  detail: Schema.String,
  cause: LocalCause
}) {
  override get message(): string {
    return this.detail
  }
}

/** Where an endpoint can be found at present. */
export interface Addresses {
  /** `ip:port` and `[ip]:port`, at most 32. */
  readonly direct: ReadonlyArray<string>
  /** An http(s) URL. */
  readonly relayUrl?: string
}

/** What an endpoint gives to those who ask. */
export interface Provider {
  /**
   * The blob `hash` (hex) for the device `peer`, open until the scope closes; undefined for a blob that is not there and
   * for one that this peer may not have: nobody can tell these apart.
   */
  open(peer: AdmittedKey, hash: string): Effect.Effect<StoredBlob | undefined, never, Scope.Scope>
  /**
   * Called as an answer goes out: these chunks of the blob have been handed to the network for `peer`, the last of an
   * answer only when they have arrived there. `ended` with the last call of an answer, whether it came to its end or not.
   */
  sent(progress: {
    readonly peer: AdmittedKey
    readonly hash: string
    readonly chunks: ChunkRanges
    readonly ended: boolean
  }): Effect.Effect<void>
}

export interface FetchOptions {
  readonly peer: AdmittedKey
  readonly addresses: Addresses
  /** 64 hexadecimal digits. */
  readonly hash: string
  /** Bytes of the blob. */
  readonly size: number
  readonly ranges: ChunkRanges
}

/** One device on the net. */
export interface BlobEndpoint {
  /** Where this endpoint can be found now. Waits a few seconds for a relay where the policy is to use one. */
  readonly addresses: Effect.Effect<Addresses, BlobTransportError>
  /** Answers requests while the scope is open; one provider at a time. Without it peers are told to come back later. */
  serve(provider: Provider): Effect.Effect<void, never, Scope.Scope>
  /**
   * Asks a peer for chunks and hands out what was verified, in order, some items at a time; the bytes of an item are valid
   * until the next pull. Ends when the answer is whole. `blob_mismatch` and `blob_incomplete` are Problems: the peer lied
   * or stopped. Interruption stops the transfer at once.
   */
  fetch(options: FetchOptions): Stream.Stream<ReadonlyArray<Verified>, BlobTransportError | Problem>
}

export class BlobTransport extends Context.Service<
  BlobTransport,
  {
    /** Set where this program has no transport and never will: its accounts name no Iroh node in their sigchains. */
    readonly isAbsent?: boolean
    /**
     * Opens the endpoint of an account's key until the scope closes. Of two endpoints with one key a peer reaches the one
     * it met first, whichever address it is told: one device of an account at a time.
     */
    open(secret: Redacted.Redacted<Uint8Array>): Effect.Effect<BlobEndpoint, BlobTransportError, Scope.Scope>
  }
>()("@kez-chat/sdk/BlobTransport") {}
