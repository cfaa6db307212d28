/** The network interface of the blob protocol: authenticated connections with many byte streams. */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import type { Tree } from "../../protocol/files/Blake3Tree.ts"
import type { Verified } from "../../protocol/files/BlobAnswer.ts"
import type { ChunkRanges } from "../../protocol/files/ChunkRanges.ts"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import type { Problem } from "../../protocol/Problem.ts"
import type { Addresses, BlobEndpoint, BlobTransportError, Path } from "../../services/BlobTransport.ts"

/**
 * A stream or its connection ended early. `aborted`: the peer abandoned this stream, with `code`. `lost`: the
 * connection is gone; `words` is the peer's closing reason, if any.
 */
export class StreamFailure extends Data.TaggedError("StreamFailure")<{
  readonly reason: "aborted" | "lost"
  readonly code?: number
  readonly words?: string
  readonly detail: string
}> {
  override get message(): string {
    return this.detail
  }
}

/** An answer that arrives, verified. */
export interface AnswerReader {
  /**
   * The next verified items; none when the stream has ended, whole or not. Their bytes are valid until the next call.
   * `blob_mismatch` at the first wrong byte, after all items before it.
   */
  readonly next: Effect.Effect<ReadonlyArray<Verified>, StreamFailure | Problem>
  /** Whether any byte has arrived. */
  readonly hasBegun: () => boolean
  /** Whether nothing more is to come. */
  readonly isWhole: () => boolean
}

/** An answer that is sent, checked against the blob's hash. */
export interface AnswerWriter {
  /** The bytes of the blob to write next, from a group's start; undefined at the end. */
  readonly run: () => Result.Result<{ readonly offset: number; readonly length: number } | undefined, Problem>
  /** Waits until the network has room for the answer up to these bytes, which may be reused when it returns. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, StreamFailure | Problem>
}

/** A bidirectional byte stream whose directions end independently. One `read` and one `write` at a time. */
export interface DuplexStream {
  /** The next bytes, at most `limit`, owned by the caller; empty at the end. */
  readonly read: (limit: number) => Effect.Effect<Uint8Array, StreamFailure>
  /** Whether `read` would return without waiting. */
  readonly ready: () => boolean
  /** Reads the answer for these chunks, where the network verifies it faster than `BlobAnswer`. */
  readonly readAnswer?: (options: {
    readonly hash: Uint8Array
    readonly size: number
    readonly ranges: ChunkRanges
  }) => AnswerReader
  /** Writes the answer for these chunks of a blob, where the network encodes it faster than `BlobAnswer`. */
  readonly writeAnswer?: (tree: Tree, ranges: ChunkRanges) => AnswerWriter
  /** Waits until the network has room. The bytes may be reused when it returns. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, StreamFailure>
  /** Ends writing. Does not wait. */
  readonly end: Effect.Effect<void, StreamFailure>
  /** Waits, after `end`, until the peer has received everything written. */
  readonly arrived: Effect.Effect<void, StreamFailure>
  /** Abandons both directions. Neither waits nor fails. */
  readonly abort: (code: number) => Effect.Effect<void>
}

export interface Connection {
  /** The peer's key, proven by the network. */
  readonly peer: AdmittedKey
  /** Opens a stream. Waits while the peer accepts no more streams. */
  readonly open: Effect.Effect<DuplexStream, StreamFailure>
  /** The next stream opened by the peer. */
  readonly accept: Effect.Effect<DuplexStream, StreamFailure>
  /** The path that is used now, where the network tells. */
  readonly path?: () => Path | undefined
  /** Closes the connection and its streams. Neither waits nor fails. */
  readonly close: (code: number, reason: string) => Effect.Effect<void>
}

/** An endpoint's view of the network. */
export interface Network {
  /** See `BlobEndpoint`. */
  readonly binding?: BlobEndpoint["binding"]
  readonly addresses: Effect.Effect<Addresses, BlobTransportError>
  /** Those of a peer's addresses that `dial` uses: what this device's relay policy allows. */
  readonly usable: (addresses: Addresses) => Addresses
  /** Dials a peer without a time limit; interruption cancels the attempt. */
  readonly dial: (peer: AdmittedKey, addresses: Addresses) => Effect.Effect<Connection, BlobTransportError>
  /** The next inbound connection; `closed` when the endpoint has closed. */
  readonly accept: Effect.Effect<Connection, BlobTransportError>
}

/** The end of a sentence that says that a peer was not reached: which ways were tried. */
export const waysTo = ({ direct, relayUrl }: Addresses): string => {
  if (relayUrl === undefined) return ": without a relay, firewalls and routers between the devices may prevent it"
  return direct.length === 0 ? ` through the relay ${relayUrl}` : `, neither directly nor through the relay ${relayUrl}`
}

/** Codes and reasons for closing a connection (iroh-blobs 0.104, `protocol.rs`: `Closed`, and `provider/events.rs`). */
export const closings = {
  done: { code: 0, reason: "done" },
  terminating: { code: 1, reason: "provider terminating" },
  permission: { code: 1, reason: "permission" },
  limit: { code: 2, reason: "limit" }
} as const
