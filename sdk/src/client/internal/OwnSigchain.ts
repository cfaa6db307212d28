/**
 * The interface for extending the account's own sigchain. `account/OwnSigchain` implements it; it is declared here
 * because `files/share`, a room below, uses it to anchor manifests.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Identity } from "../../crypto/Identity.ts"
import type * as VerifiedChain from "../../crypto/verified/VerifiedChain.ts"
import type { Envelope } from "../../protocol/sigchain/Envelope.ts"
import type { Crypto } from "../../services/Crypto.ts"
import type { KezChatError } from "../model/index.ts"

/** A verified chain with its envelopes. */
export interface Chain extends VerifiedChain.VerifiedChain {
  readonly envelopes: ReadonlyArray<Envelope>
}

export type Operation = Parameters<Identity["signSigchainEvent"]>[0]["operation"]

/** The next operation to append to a verified chain, or undefined if it needs none. */
export type Next = (chain: Chain) => Effect.Effect<Operation | undefined, KezChatError>

export class OwnSigchain extends Context.Service<
  OwnSigchain,
  {
    /**
     * Appends the operations that `next` returns until it returns undefined, and returns the resulting chain. `next` is
     * called again with each new state of the chain, because other devices may append too. Missing endpoints are
     * appended first. Calls run one at a time.
     */
    append(identity: Identity, next: Next): Effect.Effect<Chain, KezChatError, Crypto>
    /**
     * Ends the chain with a rotation to `successor`, unless that was done; returns the hash of the event. Fails with
     * `AccountMoved` if the chain was rotated to another key.
     */
    rotate(identity: Identity, successor: Identity): Effect.Effect<string, KezChatError, Crypto>
  }
>()("@kez-chat/sdk/OwnSigchain") {}
