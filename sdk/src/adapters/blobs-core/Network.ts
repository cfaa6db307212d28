/** The network interface of the blob protocol: authenticated connections with many byte streams. */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
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

/** A bidirectional byte stream whose directions end independently. One `read` and one `write` at a time. */
export interface DuplexStream {
  /** The next bytes, at most `limit`, owned by the caller; empty at the end. */
  readonly read: (limit: number) => Effect.Effect<Uint8Array, StreamFailure>
  /** Whether `read` would return without waiting. */
  readonly ready: () => boolean
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
