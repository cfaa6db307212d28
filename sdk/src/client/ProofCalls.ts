/** The calls of a client about proofs: what identities elsewhere belong to whom. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Crypto } from "../services/Crypto.ts"
import type { Session } from "./internal/Session.ts"
import type { Claim, KezChatError, Proving } from "./model/index.ts"
import { Proofs, Proving as ProvingRoom } from "./proofs/index.ts"

export interface ProofCalls {
  /**
   * What this device knows of the identities elsewhere that somebody claims: a contact, the account itself (without
   * `who`), or anybody by handle or primary key. For somebody who is no contact all claims are `unchecked`.
   */
  proofs(who?: string): Effect.Effect<ReadonlyArray<Claim>, KezChatError>
  /**
   * Checks the claims of `who`, or the one of `subject`, now, and returns them. It can take some seconds for each claim
   * at one service. A claim whose service asked to wait is not checked before its `retryAt`. Fails with `ProofRefused`
   * if `subject` is not claimed.
   */
  checkProofs(who: string, subject?: string): Effect.Effect<ReadonlyArray<Claim>, KezChatError>
  /**
   * Links an identity elsewhere, such as `github:alice`, to this account: signs a claim, says what to publish and
   * where, looks for it until it is visible or the stream is interrupted, and records it in the sigchain. The first
   * item comes at once, and one more after each look. A later call resumes. Fails with `ProofRefused` for a system
   * that this client cannot check.
   */
  prove(subject: string): Stream.Stream<Proving, KezChatError>
  /** The proofs that `prove` began and that are not recorded yet. */
  readonly provings: Effect.Effect<ReadonlyArray<Proving>, KezChatError>
  /**
   * Takes a claim back, in the sigchain if it is recorded there. No message is touched by it. What was published
   * elsewhere stays and may be removed. Fails with `ProofRefused` if this account does not claim it.
   */
  revokeProof(subject: string): Effect.Effect<void, KezChatError>
}

/** `published` gives the session of an account that can write to its sigchain. */
export const proofCalls = Effect.fnUntraced(function* (published: Effect.Effect<Session, KezChatError, Crypto>) {
  const crypto = yield* Effect.context<Crypto>()
  const proofs = yield* Proofs
  const proving = yield* ProvingRoom
  const run = <A, E>(effect: Effect.Effect<A, E, Crypto>) => Effect.provideContext(effect, crypto)
  const calls: ProofCalls = {
    proofs: (who) => run(proofs.proofs(who)),
    checkProofs: (who, subject) => run(proofs.checkProofs(who, subject)),
    prove: (subject) =>
      Stream.provideContext(Stream.unwrap(Effect.map(published, (session) => proving.prove(session, subject))), crypto),
    provings: proving.unfinished,
    revokeProof: (subject) => run(Effect.flatMap(published, (session) => proving.revoke(session, subject)))
  }
  return calls
})
