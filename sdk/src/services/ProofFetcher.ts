/**
 * Fetches what somebody published about their key on another service (spec/proofs.md). It judges nothing: whether a
 * text is a proof, and whether it holds, is decided by the client that asked.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Identifier } from "../protocol/identity/Identifier.ts"
import type { Compress, Decompress } from "../protocol/sigchain/Encoding.ts"
import { LocalCause } from "./LocalCause.ts"

/** A text that may be a proof, and where it was found. */
export class FoundProof extends Schema.Opaque<FoundProof>()(
  Schema.Struct({
    /** What was asked: a URL, or `dns:_kez.example.org` for TXT records. */
    url: Schema.String,
    /** When it was fetched, in milliseconds since the epoch. */
    fetchedAt: Schema.Int,
    /** `sha256:<64 hex>` over the answer's bytes, after content decoding. */
    digest: Schema.String,
    /** One of the encodings of an envelope, or a text that contains one. */
    text: Schema.String
  })
) {}

/** Why a service cannot be asked. Says nothing about the proof. */
export class ProofUnreachable extends Schema.TaggedError<ProofUnreachable>()("ProofUnreachable", {
  subject: Schema.String,
  /**
   * `network`: no usable answer. `rate_limited`: too many requests from here; `retryAt` says until when. `forbidden`: an
   * address that is not asked, such as a private one. `needs_cli`: a browser cannot ask it. `unsupported`: no channel
   * knows this system.
   */
  reason: Schema.Literals(["network", "rate_limited", "forbidden", "needs_cli", "unsupported"]),
  detail: Schema.String,
  /** Milliseconds since the epoch. */
  retryAt: Schema.optionalKey(Schema.Int),
  cause: LocalCause
}) {
  override get message(): string {
    return `${this.subject} cannot be checked now: ${this.detail}`
  }
}

/** The answer of a service that was reached. */
export interface Fetched {
  /** Candidates in the order in which they are tried; empty if the service answered that nothing is published there. */
  readonly found: ReadonlyArray<FoundProof>
  /** The places that were asked, in words that a user can follow: `gist kez.md of octocat`. */
  readonly asked: ReadonlyArray<string>
  /** Version of the channel's layout rules, `github/1`. */
  readonly recipe: string
  /** For `dns`: whether DNSSEC protects the answer; absent where that is not known. */
  readonly dnssec?: "secure" | "insecure"
  /**
   * A place that could not be asked while others answered. If no candidate holds, the proof may lie there: the identity
   * is unreachable then, not broken. Where nothing was found at all, `fetch` fails with it instead.
   */
  readonly missed?: ProofUnreachable
}

/** How to publish a proof. */
export interface Publication {
  /** What to do, one sentence a step, in order. */
  readonly steps: ReadonlyArray<string>
  /** What to publish, ready to paste. */
  readonly text: string
  /** Where it will be looked for. */
  readonly where: string
}

export class ProofFetcher extends Context.Service<
  ProofFetcher,
  {
    /** The systems that can be checked with this client, aliases excluded: `dns`, `github`. */
    readonly systems: ReadonlyArray<string>
    /** The decoder of compact proofs, loaded when a text is first judged. */
    readonly decompress: Effect.Effect<Decompress>
    /** Makes compact proofs some 400 characters long instead of 650: Mastodon's posts hold 500. */
    readonly compress?: Compress
    /** Asks the service of an identity. An answer without a proof is no failure. */
    fetch(subject: Identifier): Effect.Effect<Fetched, ProofUnreachable>
    /**
     * The instructions for publishing a proof: `compact`, `markdown` and `json` are the encodings of the same envelope.
     * Undefined for a system that no channel knows, and for an identity that cannot publish. Asks nobody.
     */
    publication(
      subject: Identifier,
      proof: { readonly compact: string; readonly markdown: string; readonly json: string }
    ): Effect.Effect<Publication | undefined>
  }
>()("@kez-chat/sdk/ProofFetcher") {}
