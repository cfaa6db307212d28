/**
 * What every room needs of the account's own sigchain: extend it. `account/OwnSigchain` implements it; the interface lies
 * here because publishing a manifest, in a room below, anchors it in the chain.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Identity } from "../../crypto/Identity.ts"
import type * as VerifiedChain from "../../crypto/VerifiedChain.ts"
import type { Envelope } from "../../protocol/sigchain/Envelope.ts"
import type { Crypto } from "../../services/Crypto.ts"
import type { KezChatError } from "../model/index.ts"

/** A chain whose every event was verified, with its envelopes. */
export interface Chain extends VerifiedChain.VerifiedChain {
  readonly envelopes: ReadonlyArray<Envelope>
}

export type Operation = Parameters<Identity["signSigchainEvent"]>[0]["operation"]

/** The operation that a verified chain still lacks, or undefined. */
export type Next = (chain: Chain) => Effect.Effect<Operation | undefined, KezChatError>

export class OwnSigchain extends Context.Service<
  OwnSigchain,
  {
    /**
     * Appends the operations that `next` returns until it returns none; it is asked again for each chain that it meets,
     * because another device may be faster. Endpoints that the chain lacks come first. Returns the chain as it is then.
     * One caller at a time.
     */
    append(identity: Identity, next: Next): Effect.Effect<Chain, KezChatError, Crypto>
  }
>()("@kez-chat/sdk/OwnSigchain") {}
