/** What every SigchainStore must do. Applied to each adapter. */
import { randomBytes } from "node:crypto"
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Identity, VerifiedChain } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Problem, Sigchain } from "@kez-chat/sdk/protocol"
import { SigchainStore } from "@kez-chat/sdk/services"

const newIdentity = Effect.suspend(() => Identity.fromSeed(Redacted.make(new Uint8Array(randomBytes(32)))))

const claim = (identity: Identity.Identity, after: Sigchain.Head | undefined, subject = "dns:example.org") =>
  identity.signSigchainEvent({ after, operation: { op: "add", payload: { subject } }, createdAt: Date.now() })

export const sigchainStoreKit = (name: string, make: () => SigchainStore["Service"]): void => {
  const chainOf = Effect.fnUntraced(function* (length: number) {
    const store = make()
    const identity = yield* newIdentity
    let head: Sigchain.Head | undefined
    for (let seq = 0; seq < length; seq++) {
      head = yield* store.append(identity.primary, yield* claim(identity, head, `dns:${seq}.example`))
      assert.strictEqual(head.seq, seq)
    }
    return { store, identity, head }
  })

  layer(NodeCrypto.layer, { excludeTestServices: true })(`SigchainStore: ${name}`, (it) => {
    it.effect("takes an unknown chain for an empty one", () =>
      Effect.gen(function* () {
        const { identity, store } = yield* chainOf(0)
        assert.deepStrictEqual(yield* store.fetch(identity.primary), [])
        assert.deepStrictEqual(yield* store.fetch(identity.primary, 3), [])
      })
    )

    it.effect("gives back what was appended, whole and from any event, and it verifies to the head it told", () =>
      Effect.gen(function* () {
        const { head, identity, store } = yield* chainOf(5)
        const events = yield* store.fetch(identity.primary)
        assert.deepStrictEqual((yield* VerifiedChain.verify(identity.primary, events)).head, head)
        for (const since of [0, 1, 4, 5, 50]) {
          assert.deepStrictEqual(yield* store.fetch(identity.primary, since), events.slice(since))
        }
      })
    )

    it.effect("succeeds with the same head when the identical event comes again", () =>
      Effect.gen(function* () {
        const store = make()
        const identity = yield* newIdentity
        const event = yield* claim(identity, undefined)
        const head = yield* store.append(identity.primary, event)
        assert.deepStrictEqual(yield* store.append(identity.primary, event), head)
      })
    )

    it.effect("refuses what does not extend the chain, and what is not the chain's", () =>
      Effect.gen(function* () {
        const { head, identity, store } = yield* chainOf(2)
        const other = yield* newIdentity
        const codeOf = (primary: string, event: Parameters<typeof store.append>[1]) =>
          Effect.map(Effect.flip(store.append(primary, event)), (error) =>
            error instanceof Problem.Problem ? error.code : String(error)
          )
        const first = yield* claim(identity, undefined, "dns:other.example")
        assert.strictEqual(yield* codeOf(identity.primary, first), "chain_conflict")
        const gap = yield* claim(identity, { seq: 8, hash: head!.hash })
        assert.strictEqual(yield* codeOf(identity.primary, gap), "chain_conflict")
        const foreign = yield* claim(other, head)
        assert.strictEqual(yield* codeOf(identity.primary, foreign), "event_malformed")
        const next = yield* claim(identity, head)
        const forged = { ...next, payload: { ...next.payload, op: "revoke" } }
        assert.strictEqual(yield* codeOf(identity.primary, forged), "signature_invalid")
        assert.strictEqual((yield* store.fetch(identity.primary)).length, 2)
      })
    )

    it.effect("keeps one of two events that race for a place, and tells the other", () =>
      Effect.gen(function* () {
        const { head, identity, store } = yield* chainOf(1)
        const racers = yield* Effect.forEach([0, 1, 2, 3], (n) => claim(identity, head, `dns:race${n}.example`))
        const outcomes = yield* Effect.forEach(
          racers,
          (event) => Effect.result(store.append(identity.primary, event)),
          { concurrency: 4 }
        )
        const won = outcomes.filter((outcome) => outcome._tag === "Success")
        assert.strictEqual(won.length, 1)
        for (const outcome of outcomes) {
          if (outcome._tag === "Failure")
            assert.strictEqual((outcome.failure as Problem.Problem).code, "chain_conflict")
        }
      })
    )
  })
}
