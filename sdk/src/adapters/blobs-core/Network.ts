/** What the blob protocol needs of a network: authenticated connections that carry many byte streams. */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import type { Addresses, BlobTransportError } from "../../services/BlobTransport.ts"

/**
 * A stream or its connection ended before its time. `aborted`: the peer abandoned this stream, with `code`. `lost`: the
 * connection is gone; `words` are those with which the peer closed it, if it did.
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

/** Bytes both ways, each way ended on its own. One `read` and one `write` at a time. */
export interface DuplexStream {
  /** The next bytes, at most `limit`, the caller's own; none at the end. */
  readonly read: (limit: number) => Effect.Effect<Uint8Array, StreamFailure>
  /** Whether bytes are here, so that `read` need not wait. */
  readonly ready: () => boolean
  /** Waits until the network has room. The bytes may be reused when it returns. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, StreamFailure>
  /** No more will be written. Does not wait. */
  readonly end: Effect.Effect<void, StreamFailure>
  /** Waits, after `end`, until everything written has arrived at the peer's end. */
  readonly arrived: Effect.Effect<void, StreamFailure>
  /** Gives up whatever is unfinished, in both directions. Neither waits nor fails. */
  readonly abort: (code: number) => Effect.Effect<void>
}

export interface Connection {
  /** Proven by the network. */
  readonly peer: AdmittedKey
  /** Waits while the peer accepts no more streams. */
  readonly open: Effect.Effect<DuplexStream, StreamFailure>
  /** The next stream the peer opened. */
  readonly accept: Effect.Effect<DuplexStream, StreamFailure>
  /** Ends everything on it. Neither waits nor fails. */
  readonly close: (code: number, reason: string) => Effect.Effect<void>
}

/** An endpoint's side of the network. */
export interface Network {
  readonly addresses: Effect.Effect<Addresses, BlobTransportError>
  /** Without a limit of time; interruption gives the attempt up. */
  readonly dial: (peer: AdmittedKey, addresses: Addresses) => Effect.Effect<Connection, BlobTransportError>
  /** The next connection from a peer; `closed` when the endpoint has closed. */
  readonly accept: Effect.Effect<Connection, BlobTransportError>
}

/** Codes and words of a closing connection (iroh-blobs 0.104, `protocol.rs`: `Closed`, and `provider/events.rs`). */
export const closings = {
  done: { code: 0, reason: "done" },
  terminating: { code: 1, reason: "provider terminating" },
  permission: { code: 1, reason: "permission" },
  limit: { code: 2, reason: "limit" }
} as const
