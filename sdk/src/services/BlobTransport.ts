/** Blobs between devices: iroh-blobs (`/iroh-bytes/4`), endpoints named by Ed25519 keys (spec: files, transport). */
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
 * The network or the peer failed. `unavailable`: this device has no transport, or its setup failed. `unreachable`: no
 * answer in time, or the connection was lost. `refused`: the peer does not give us this blob, whether it has it or not.
 * `busy`: the peer is at a limit. `closed`: the local endpoint was closed.
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

/** The current addresses of an endpoint. */
export interface Addresses {
  /** `ip:port` and `[ip]:port`, at most 32. */
  readonly direct: ReadonlyArray<string>
  /** An http(s) URL. */
  readonly relayUrl?: string
}

/** How bytes travel between two endpoints: from one to the other, or through a relay. */
export type Path = "direct" | "relayed"

/** The provider of an endpoint's blobs. */
export interface Provider {
  /** The blob `hash` (hex) until the scope closes; undefined if missing or forbidden: peers cannot tell which. */
  open(peer: AdmittedKey, hash: string): Effect.Effect<StoredBlob | undefined, never, Scope.Scope>
  /**
   * Called during an answer: these chunks of the blob were handed to the network for `peer`; the last ones of an answer
   * are reported only after delivery. `ended` is set on the last call of an answer, complete or not.
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

/** A device's endpoint. */
export interface BlobEndpoint {
  /** What moves the bytes, where an adapter has a fast way and one that works everywhere. */
  readonly binding?: "native" | "compatible" | undefined
  /** The current addresses of this endpoint. Waits a few seconds for a relay if the policy uses one. */
  readonly addresses: Effect.Effect<Addresses, BlobTransportError>
  /** Answers requests while the scope is open; one provider at a time. Without one, peers are refused temporarily. */
  serve(provider: Provider): Effect.Effect<void, never, Scope.Scope>
  /**
   * Requests chunks from a peer and emits verified items in order, several at a time; the bytes of an item are valid
   * until the next pull. Ends when the answer is complete. `blob_mismatch` and `blob_incomplete` are Problems: the peer
   * sent wrong bytes or stopped. Interruption stops the transfer at once.
   */
  fetch(options: FetchOptions): Stream.Stream<ReadonlyArray<Verified>, BlobTransportError | Problem>
  /** The path to a peer that is being fetched from, which may change; undefined if unknown. Transports need not have this. */
  pathTo?(peer: AdmittedKey): Path | undefined
}

export class BlobTransport extends Context.Service<
  BlobTransport,
  {
    /** Set if this program never has a transport: its accounts then name no Iroh node in their sigchains. */
    readonly isAbsent?: boolean
    /**
     * Opens the endpoint of an account's key until the scope closes. If two endpoints have one key, a peer reaches the
     * one it met first, whichever address it uses: run one device per account at a time.
     */
    open(secret: Redacted.Redacted<Uint8Array>): Effect.Effect<BlobEndpoint, BlobTransportError, Scope.Scope>
  }
>()("@kez-chat/sdk/BlobTransport") {}
