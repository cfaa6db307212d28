/** A sigchain with all signatures, links and operations verified (spec: sigchain). */
import * as Effect from "effect/Effect"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as Envelope from "../../protocol/sigchain/Envelope.ts"
import type { Problem } from "../../protocol/Problem.ts"
import * as Sigchain from "../../protocol/sigchain/Sigchain.ts"
import { Crypto } from "../../services/Crypto.ts"
import * as SignedEnvelope from "../SignedEnvelope.ts"

export interface VerifiedChain {
  readonly state: Sigchain.ChainState
  /** Absent for a chain without events. */
  readonly head?: Sigchain.Head
  /** Hashes of the events verified in this call, starting with event `first`. */
  readonly hashes: ReadonlyArray<string>
  /** 0, or the number of the first event after the given state. */
  readonly first: number
}

/**
 * Verifies a chain from its beginning, or from a verified state. Fails with `event_malformed`, `chain_conflict`,
 * `chain_terminated`, `chain_full`, `too_large`, `signature_invalid`, or the problem of a key.
 */
export const verify = Effect.fnUntraced(function* (
  primary: string,
  envelopes: ReadonlyArray<Envelope.Envelope>,
  from: Sigchain.ChainState = Sigchain.empty(primary)
): Effect.fn.Return<VerifiedChain, Problem, Crypto> {
  const crypto = yield* Crypto
  const checked: Array<Sigchain.CheckedEvent> = []
  let head = from.head
  for (const envelope of envelopes) {
    const event = yield* Effect.fromResult(Sigchain.parseEvent(envelope))
    yield* Effect.fromResult(Sigchain.checkNext(from.primary, head, event))
    const text = Envelope.signedText(envelope.payload)
    yield* SignedEnvelope.verifyBytes(crypto, Bytes.utf8(text), envelope.signature)
    if (event.op === "rotate") {
      const { newPrimary, payload, sig, system } = yield* Effect.fromResult(Sigchain.rotationAcceptance(event))
      yield* SignedEnvelope.verifyBytes(crypto, Envelope.signedBytes(payload), {
        alg: Envelope.algorithmOf(system),
        key: newPrimary,
        sig
      })
    }
    const encoded = Bytes.utf8(Envelope.encodeTextWith(envelope.kez, text, envelope.signature))
    const hash = yield* SignedEnvelope.hashEncoded(crypto, encoded)
    checked.push({ event, hash, bytes: encoded.length })
    head = { seq: event.seq, hash }
  }
  const state = yield* Effect.fromResult(Sigchain.extend(from, checked))
  const first = from.head === undefined ? 0 : from.head.seq + 1
  return {
    state,
    ...(head === undefined ? {} : { head }),
    hashes: checked.map(({ hash }) => hash),
    first
  }
})

/** Verifies one event that extends a state, as a server does on append. */
export const append = (
  state: Sigchain.ChainState,
  envelope: Envelope.Envelope
): Effect.Effect<Sigchain.ChainState, Problem, Crypto> =>
  Effect.map(verify(state.primary, [envelope], state), (chain) => chain.state)

/** Compares a chain verified from its start with the highest known head; `Sigchain.alarm` names the problem. */
export const compare = (known: Sigchain.Head | undefined, chain: VerifiedChain): Sigchain.Comparison =>
  Sigchain.compare(known, chain.hashes, chain.first)
