import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { NodeCrypto } from "../../../src/adapters/node/index.ts"
import * as IdentitySecret from "../../../src/crypto/IdentitySecret.ts"
import { type Identity, SignedEnvelope, VerifiedChain } from "../../../src/crypto/index.ts"
import { Endpoint, Envelope, type Json, type Problem, Sigchain } from "../../../src/protocol/index.ts"
import { Crypto } from "../../../src/services/Crypto.ts"
import { alice, bob, carol, codeOf, fixture, time } from "../../kits/Accounts.ts"

const operations: ReadonlyArray<Exclude<Sigchain.Operation, { op: "rotate" }>> = [
  { op: "add_endpoint", payload: Endpoint.nats(alice.primary, "nats://localhost:4222") },
  { op: "add", payload: { subject: "dns:example.org" } },
  { op: "revoke", payload: { subject: "dns:example.org" } },
  { op: "add_device", payload: { name: "laptop" } }
]

/** A chain of an identity, each event signed on the head of the one before. */
const build = Effect.fnUntraced(function* (
  identity: Identity.Identity,
  all: ReadonlyArray<Exclude<Sigchain.Operation, { op: "rotate" }>>
) {
  const events: Array<Envelope.Envelope> = []
  let after: Sigchain.Head | undefined
  for (const operation of all) {
    const event = yield* identity.signSigchainEvent({ after, operation, createdAt: time })
    after = { seq: events.length, hash: yield* SignedEnvelope.hash(event) }
    events.push(event)
  }
  return { events, head: after }
})

/** Signs any payload, as a hostile account could. */
const forge = (identity: Identity.Identity, payload: Json.JsonObject) =>
  Crypto.use((crypto) =>
    Effect.map(
      SignedEnvelope.signText(crypto, IdentitySecret.of(identity), Envelope.signedText(payload)),
      (signature): Envelope.Envelope => ({ kez: "sigchain_event", payload, signature })
    )
  )

const { events, head } = await fixture(build(alice, operations))
const code = (envelopes: ReadonlyArray<Envelope.Envelope>, primary: string = alice.primary) =>
  codeOf(VerifiedChain.verify(primary, envelopes))

layer(NodeCrypto.layer)("VerifiedChain", (it) => {
  it.effect("KEZ-SIG-104 KEZ-SIG-107 verifies to a state and a head", () =>
    Effect.gen(function* () {
      const chain = yield* VerifiedChain.verify(alice.primary, events)
      assert.deepStrictEqual(chain.head, head)
      assert.strictEqual(chain.hashes.length, 4)
      assert.deepStrictEqual(chain.state.claims, [{ subject: "dns:example.org", seq: 1, revoked: true }])
      const bytes = events.reduce((sum, event) => sum + Envelope.encode(event).length + 1, 0)
      assert.strictEqual(chain.state.bytes, bytes)
      const none = yield* VerifiedChain.verify(alice.primary, [])
      assert.isUndefined(none.head)
    })
  )

  it.effect("KEZ-SIG-106 goes on from a verified state", () =>
    Effect.gen(function* () {
      const whole = yield* VerifiedChain.verify(alice.primary, events)
      const start = yield* VerifiedChain.verify(alice.primary, events.slice(0, 2))
      const rest = yield* VerifiedChain.verify(alice.primary, events.slice(2), start.state)
      assert.deepStrictEqual(rest.state, whole.state)
      assert.strictEqual(rest.first, 2)
      assert.deepStrictEqual(rest.hashes, whole.hashes.slice(2))
      assert.strictEqual(VerifiedChain.compare(start.head, whole)._tag, "extended")
      assert.strictEqual(VerifiedChain.compare(whole.head, start)._tag, "rollback")
      const appended = yield* VerifiedChain.append(start.state, events[2] as Envelope.Envelope)
      assert.strictEqual(appended.head?.seq, 2)
      assert.strictEqual(
        yield* codeOf(VerifiedChain.append(start.state, events[3] as Envelope.Envelope)),
        "chain_conflict"
      )
    })
  )

  it.effect("KEZ-SIG-105 KEZ-SIG-122 refuses gaps and other orders and sees forks", () =>
    Effect.gen(function* () {
      const [a, b, c, d] = events as [Envelope.Envelope, Envelope.Envelope, Envelope.Envelope, Envelope.Envelope]
      assert.strictEqual(yield* code([b]), "chain_conflict")
      assert.strictEqual(yield* code([a, c]), "chain_conflict")
      assert.strictEqual(yield* code([a, c, b, d]), "chain_conflict")
      assert.strictEqual(yield* code([a, a]), "chain_conflict")
      const forked = yield* build(alice, [operations[0], operations[3]] as typeof operations)
      assert.strictEqual(yield* code([a, forked.events[1] as Envelope.Envelope, c]), "chain_conflict")
      const chain = yield* VerifiedChain.verify(alice.primary, forked.events)
      const comparison = VerifiedChain.compare({ seq: 1, hash: yield* SignedEnvelope.hash(b) }, chain)
      assert.strictEqual(Sigchain.alarm(alice.primary, comparison)?.code, "chain_fork")
    })
  )

  it.effect("KEZ-SIG-104 refuses events of others and edited ones", () =>
    Effect.gen(function* () {
      const theirs = yield* build(bob, [{ op: "add", payload: { subject: "dns:example.org" } }])
      assert.strictEqual(yield* code(theirs.events), "event_malformed")
      const [first, second] = events as [Envelope.Envelope, Envelope.Envelope]
      const edited = { ...second, payload: { ...second.payload, op: "revoke" } }
      assert.strictEqual(yield* code([first, edited]), "signature_invalid")
      // Bob's valid signature over an event that says it is Alice's.
      const stolen = yield* forge(bob, second.payload)
      const claimed = { ...stolen, signature: { ...stolen.signature, key: alice.primary } }
      assert.strictEqual(yield* code([first, claimed]), "signature_invalid")
    })
  )

  it.effect("KEZ-SIG-108 keeps members and operations from the future under its hashes", () =>
    Effect.gen(function* () {
      const payload = { ...(events[0] as Envelope.Envelope).payload, op: "teleport", future: { x: 1 } }
      const event = yield* forge(alice, payload)
      const chain = yield* VerifiedChain.verify(alice.primary, [event])
      assert.deepStrictEqual(chain.state.ignored, [{ seq: 0, op: "teleport" }])
      const { future: _, ...without } = event.payload as Json.JsonObject & { future: Json.Json }
      assert.strictEqual(yield* code([{ ...event, payload: without }]), "signature_invalid")
    })
  )

  it.effect("KEZ-SIG-118 KEZ-SIG-119 takes a rotation that its new key accepted, as the end", () =>
    Effect.gen(function* () {
      const rotation = yield* alice.signRotation({ after: head, successor: bob, createdAt: time })
      const chain = yield* VerifiedChain.verify(alice.primary, [...events, rotation])
      assert.strictEqual(chain.state.rotatedTo, bob.primary)
      const after = yield* alice.signSigchainEvent({
        after: chain.head,
        operation: operations[1] as (typeof operations)[1],
        createdAt: time
      })
      assert.strictEqual(yield* code([...events, rotation, after]), "chain_terminated")
      assert.strictEqual(yield* codeOf(VerifiedChain.append(chain.state, after)), "chain_terminated")
      // The acceptance belongs to one place in one chain, and to one new key.
      const inner = rotation.payload["payload"] as Json.JsonObject
      const withInner = (members: Json.JsonObject, outer: Json.JsonObject = {}) =>
        forge(alice, { ...rotation.payload, ...outer, payload: { ...inner, ...members } })
      assert.strictEqual(
        yield* code([...events, yield* withInner({ new_primary: carol.primary })]),
        "signature_invalid"
      )
      assert.strictEqual(yield* code([...events, yield* withInner({ new_sig: "0".repeat(128) })]), "signature_invalid")
      const later = yield* withInner({}, { created_at: "2027-01-01T00:00:00Z" })
      assert.strictEqual(yield* code([...events, later]), "signature_invalid")
      const earlier = events.slice(0, 2)
      const moved = yield* withInner({}, { seq: 2, prev: yield* SignedEnvelope.hash(earlier[1] as Envelope.Envelope) })
      assert.strictEqual(yield* code([...earlier, moved]), "signature_invalid")
    })
  )

  it.effect("an identity signs only operations that its own chain may hold", () =>
    Effect.gen(function* () {
      const sign = (operation: (typeof operations)[number]): Effect.Effect<Envelope.Envelope, Problem.Problem> =>
        alice.signSigchainEvent({ after: undefined, operation, createdAt: time })
      const foreign = Endpoint.nats(bob.primary, "nats://a")
      assert.strictEqual(yield* codeOf(sign({ op: "add_endpoint", payload: foreign })), "event_malformed")
      assert.strictEqual(yield* codeOf(sign({ op: "add", payload: { subject: "" } })), "event_malformed")
      assert.strictEqual(
        yield* codeOf(sign({ op: "set_shared_files", payload: { manifest: "x", size: 0 } })),
        "event_malformed"
      )
    })
  )
})
