/**
 * A channel: how proofs of one system are published and found (spec/proofs.md, Channels). A channel is one file, which
 * knows the layout of its provider and asks only through {@link Tools}, and one row of the table in `Channels.ts`.
 */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { FoundProof, ProofUnreachable, Publication } from "../../services/ProofFetcher.ts"

/** Why a place cannot be asked: `ProofUnreachable` without its subject. */
export class Unreachable extends Data.TaggedError("Unreachable")<{
  readonly reason: ProofUnreachable["reason"]
  readonly detail: string
  /** Milliseconds since the epoch. */
  readonly retryAt?: number
  readonly cause?: unknown
}> {}

/** The body of a successful HTTP answer. */
export interface Page {
  /** The URL that answered, after redirects within its host. */
  readonly url: string
  /** Milliseconds since the epoch. */
  readonly fetchedAt: number
  readonly body: Uint8Array
}

export interface TxtAnswer {
  readonly fetchedAt: number
  /** Each record as its strings, bytes read as Latin-1. */
  readonly records: ReadonlyArray<ReadonlyArray<string>>
  /** False if the resolver knows no such name, and not only no TXT record of it. */
  readonly exists: boolean
  readonly dnssec?: "secure" | "insecure"
}

/** What a relay sent before the end of its stored events, unverified. */
export interface RelayAnswer {
  readonly relay: string
  readonly fetchedAt: number
  readonly events: ReadonlyArray<unknown>
  /** The relay had more to send than is accepted. */
  readonly missed?: Unreachable
}

export interface GetOptions {
  /** Media types, as in an `Accept` header. */
  readonly accept?: string
  /** Statuses by which the server says that nothing is published; default 404 and 410. */
  readonly absent?: ReadonlyArray<number>
}

/** What channels ask the world with. All of it is bounded in time and size (spec/proofs.md, Fetching). */
export interface Tools {
  /**
   * A page by https. Undefined if the server says that there is none; any other status than 200 is `Unreachable`, so
   * that a provider's trouble is never taken for a missing proof.
   */
  get(url: string, options?: GetOptions): Effect.Effect<Page | undefined, Unreachable>
  /** The TXT records of a name. */
  txt(name: string): Effect.Effect<TxtAnswer, Unreachable>
  /** The answer of each nostr relay to a request with these filters (NIP-01), or why there is none. */
  events(filters: ReadonlyArray<object>): Effect.Effect<ReadonlyArray<RelayAnswer | Unreachable>, Unreachable>
  /** Base URL of Bluesky's public XRPC. */
  readonly xrpc: Effect.Effect<string, Unreachable>
  /** Base URL of the directory of `did:plc`. */
  readonly plc: Effect.Effect<string, Unreachable>
  /** A browser: servers without CORS cannot be asked. */
  readonly isBrowser: boolean
}

/** What a place holds. */
export interface Reading {
  readonly found: ReadonlyArray<FoundProof>
  readonly dnssec?: "secure" | "insecure"
  /** A part of the place that could not be asked. */
  readonly missed?: Unreachable
}

/** Where a proof may be published. */
export interface Place {
  /** In words that a user can follow: `gist kez.md of octocat`. */
  readonly name: string
  readonly read: (tools: Tools) => Effect.Effect<Reading, Unreachable>
}

/** The encodings of one envelope. */
export interface Encoded {
  readonly compact: string
  readonly markdown: string
  readonly json: string
}

export interface Channel {
  /** Name and version of the layout rules, `github/1`: a new version wherever another place or form is read. */
  readonly recipe: string
  /** The places of an identity in the order in which they count; none for an id that cannot publish. */
  places(id: string): ReadonlyArray<Place>
  publication(id: string, proof: Encoded): Publication
}
