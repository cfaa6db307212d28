import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { Endpoint, type Envelope, type Json, Sigchain, Subject } from "../../../src/protocol/index.ts"
import { alice, bob, ok, time } from "../../kits/Accounts.ts"
import { answers, codeOf } from "../../kits/DecoderKit.ts"

const hashOf = (seq: number, mark = "0") => `sha256:${mark}${String(seq).padStart(63, "0")}`

/** Events of alice's chain as they are after verification, with made-up hashes. */
const chain = (
  ...operations: Array<{ readonly op: string; readonly payload: Json.JsonObject }>
): ReadonlyArray<Sigchain.CheckedEvent> =>
  operations.map(({ op, payload }, seq) => ({
    event: {
      primary: alice.primary,
      seq,
      ...(seq === 0 ? {} : { prev: hashOf(seq - 1) }),
      createdAt: time,
      op,
      payload
    },
    hash: hashOf(seq),
    bytes: 500
  }))

const replay = (...operations: Parameters<typeof chain>) =>
  Sigchain.extend(Sigchain.empty(alice.primary), chain(...operations))

const nats = (url: string): Json.JsonObject => ({ ...Endpoint.nats(alice.primary, url, "wss://kez.lat/nats") })
const iroh: Json.JsonObject = { protocol: "iroh", node_id: alice.key.hex, relay_url: "https://relay.example/" }

describe("Sigchain", () => {
  it("replays endpoints, claims, devices and shared files", () => {
    const state = ok(
      replay(
        { op: "add_endpoint", payload: nats("nats://a:4222") },
        { op: "add_endpoint", payload: iroh },
        { op: "add", payload: { subject: "dns:example.org" } },
        { op: "add", payload: { subject: "github:chris" } },
        { op: "add_endpoint", payload: nats("tls://b:4222") },
        { op: "remove_endpoint", payload: { protocol: "nats", url: "nats://a:4222" } },
        { op: "revoke", payload: { subject: "dns:example.org" } },
        { op: "add_device", payload: { name: "phone" } },
        { op: "set_shared_files", payload: { manifest: `blake3:${"a".repeat(64)}`, size: 10 } }
      )
    )
    assert.deepStrictEqual(state.head, { seq: 8, hash: hashOf(8) })
    assert.strictEqual(state.bytes, 9 * 501)
    assert.deepStrictEqual<unknown>(state.endpoints, [iroh, nats("tls://b:4222")])
    assert.deepStrictEqual(state.claims, [
      { subject: "dns:example.org", seq: 2, revoked: true },
      { subject: "github:chris", seq: 3, revoked: false }
    ])
    assert.deepStrictEqual(state.devices, [{ name: "phone" }])
    assert.deepStrictEqual(state.sharedFiles, { manifest: `blake3:${"a".repeat(64)}`, size: 10 })
    assert.deepStrictEqual(state.ignored, [])
  })

  it("KEZ-SIG-108 KEZ-SIG-109 keeps and ignores what it does not know", () => {
    const state = ok(
      replay(
        { op: "from_the_future", payload: { a: 1 } },
        { op: "add", payload: { claim: {} } },
        { op: "revoke", payload: { subject: "dns:never.added" } },
        { op: "constructor", payload: {} }
      )
    )
    assert.deepStrictEqual(
      state.ignored.map(({ seq }) => seq),
      [0, 1, 2, 3]
    )
    assert.strictEqual(state.head?.seq, 3)
    assert.deepStrictEqual(state.claims, [])
  })

  it("KEZ-SIG-105 refuses gaps, repetitions, other predecessors and other chains", () => {
    const start = Sigchain.empty(alice.primary)
    const [first, second, third] = chain(
      { op: "add", payload: {} },
      { op: "add", payload: {} },
      { op: "add", payload: {} }
    ) as [Sigchain.CheckedEvent, Sigchain.CheckedEvent, Sigchain.CheckedEvent]
    const code = (...events: ReadonlyArray<Sigchain.CheckedEvent>) => codeOf(Sigchain.extend(start, events))
    assert.strictEqual(code(first, second, third), "accepted")
    assert.strictEqual(code(second), "chain_conflict")
    assert.strictEqual(code(first, third), "chain_conflict")
    assert.strictEqual(code(first, first), "chain_conflict")
    const elsewhere = { ...second, event: { ...second.event, prev: hashOf(9) } }
    assert.strictEqual(code(first, elsewhere), "chain_conflict")
    const foreign = { ...second, event: { ...second.event, primary: bob.primary } }
    assert.strictEqual(code(first, foreign), "event_malformed")
  })

  it("KEZ-SIG-112 names the broker of a home without TCP by host and port of its WebSocket", () => {
    const at = (tcp: ReadonlyArray<string>, websocket: ReadonlyArray<string>) =>
      Endpoint.atBroker(alice.primary, { tcp, websocket })
    assert.deepInclude(at(["tls://a:4222"], ["wss://b/nats"]), { url: "tls://a:4222", ws_url: "wss://b/nats" })
    assert.deepInclude(at([], ["wss://b/nats"]), { url: "tls://b:443", ws_url: "wss://b/nats" })
    assert.deepInclude(at([], ["ws://127.0.0.1:8443"]), { url: "nats://127.0.0.1:8443" })
    assert.strictEqual(at([], []), undefined)
  })

  it("KEZ-SIG-112 takes an account's own inbox and node only", () => {
    const code = (payload: Json.JsonObject) => codeOf(replay({ op: "add_endpoint", payload }))
    assert.strictEqual(code(nats("nats://a:4222")), "accepted")
    assert.strictEqual(code(iroh), "accepted")
    assert.strictEqual(code({ ...nats("nats://a"), inbox: Subject.inbox(bob.key.hex) }), "event_malformed")
    assert.strictEqual(code({ ...nats("nats://a"), inbox: "kez.inbox.*" }), "event_malformed")
    assert.strictEqual(code(nats("http://a")), "event_malformed")
    assert.strictEqual(code(nats("nats://a b")), "event_malformed")
    assert.strictEqual(code(nats(`nats://${"a".repeat(505)}`)), "accepted")
    assert.strictEqual(code(nats(`nats://${"a".repeat(506)}`)), "event_malformed")
    assert.strictEqual(code({ ...nats("nats://a"), ws_url: "https://a" }), "event_malformed")
    assert.strictEqual(code({ ...iroh, node_id: bob.key.hex }), "event_malformed")
    assert.strictEqual(code({ ...iroh, relay_url: null }), "event_malformed")
    assert.strictEqual(code({ protocol: "smtp", url: "smtp://a" }), "event_malformed")
  })

  it("KEZ-SIG-110 KEZ-SIG-113 checks the other operations' payloads", () => {
    const code = (op: string, payload: Json.JsonObject) => codeOf(replay({ op, payload }))
    assert.strictEqual(code("set_shared_files", { manifest: "blake3:00", size: 1 }), "event_malformed")
    assert.strictEqual(
      code("set_shared_files", { manifest: `blake3:${"0".repeat(64)}`, size: 1_048_577 }),
      "event_malformed"
    )
    assert.strictEqual(code("remove_endpoint", { protocol: "nats" }), "event_malformed")
    assert.strictEqual(code("remove_endpoint", { protocol: "iroh", node_id: "never there" }), "accepted")
  })

  it("KEZ-SIG-118 KEZ-SIG-119 ends at a rotation", () => {
    const rotate = { op: "rotate", payload: { new_primary: bob.primary, new_sig: "0".repeat(128) } }
    const state = ok(replay(rotate))
    assert.strictEqual(state.rotatedTo, bob.primary)
    assert.strictEqual(codeOf(replay(rotate, { op: "add", payload: {} })), "chain_terminated")
    const code = (payload: Json.JsonObject) => codeOf(replay({ op: "rotate", payload }))
    assert.strictEqual(code({ ...rotate.payload, new_primary: alice.primary }), "event_malformed")
    assert.strictEqual(code({ ...rotate.payload, new_primary: `ed25519:${"00".repeat(32)}` }), "key_rejected")
    assert.strictEqual(code({ ...rotate.payload, new_sig: "zz" }), "event_malformed")
  })

  it("KEZ-SIG-103 bounds events and chains", () => {
    const start = Sigchain.empty(alice.primary)
    const [event] = chain({ op: "add", payload: {} }) as [Sigchain.CheckedEvent]
    assert.strictEqual(codeOf(Sigchain.extend(start, [{ ...event, bytes: 65_536 }])), "accepted")
    assert.strictEqual(codeOf(Sigchain.extend(start, [{ ...event, bytes: 65_537 }])), "too_large")
    const [always] = chain({ op: "revoke", payload: {} }) as [Sigchain.CheckedEvent]
    const full = { ...start, bytes: 4 * 1024 * 1024 - 501 }
    assert.strictEqual(codeOf(Sigchain.extend(full, [always])), "accepted")
    assert.strictEqual(codeOf(Sigchain.extend({ ...full, bytes: full.bytes + 1 }, [always])), "chain_full")
  })

  it("KEZ-SIG-140 keeps the last 256 KiB for what must always be possible", () => {
    const acceptance = { new_primary: bob.primary, new_sig: "00".repeat(64) }
    const always: ReadonlyArray<[string, Json.JsonObject]> = [
      ["rotate", acceptance],
      ["revoke", { subject: "dns:example.org" }],
      ["remove_endpoint", { protocol: "nats", url: "nats://a" }],
      ["remove_what_comes_later", {}]
    ]
    const others: ReadonlyArray<[string, Json.JsonObject]> = [
      ["add", { subject: "dns:example.org" }],
      ["add_endpoint", iroh],
      ["add_device", {}],
      ["set_shared_files", { manifest: `blake3:${"ab".repeat(32)}`, size: 1, revision: 1 }],
      ["removed", {}],
      ["future_thing", {}]
    ]
    const last = 4 * 1024 * 1024 - 256 * 1024 - 501
    const at = (bytes: number, op: string, payload: Json.JsonObject) =>
      codeOf(Sigchain.extend({ ...Sigchain.empty(alice.primary), bytes }, chain({ op, payload })))
    for (const [op, payload] of always) {
      assert.strictEqual(at(last + 1, op, payload), "accepted", op)
      assert.strictEqual(at(4 * 1024 * 1024 - 501, op, payload), "accepted", op)
      assert.strictEqual(at(4 * 1024 * 1024 - 500, op, payload), "chain_full", op)
    }
    for (const [op, payload] of others) {
      assert.strictEqual(at(last, op, payload), "accepted", op)
      assert.strictEqual(at(last + 1, op, payload), "chain_full", op)
    }
  })

  it("says the same in parts and as a whole", () => {
    const operation = fc.oneof(
      fc.record({
        op: fc.constantFrom("add", "revoke"),
        payload: fc.record({ subject: fc.constantFrom("a:1", "b:2") })
      }),
      fc.record({
        op: fc.constant("add_endpoint"),
        payload: fc.constantFrom(nats("nats://a"), nats("nats://b"), iroh)
      }),
      fc.record({
        op: fc.constant("remove_endpoint"),
        payload: fc.constantFrom<Json.JsonObject>({ protocol: "nats", url: "nats://a" })
      })
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), fc.nat(30), (operations, cut) => {
        const events = chain(...operations)
        const start = Sigchain.empty(alice.primary)
        const parts = ok(Sigchain.extend(ok(Sigchain.extend(start, events.slice(0, cut))), events.slice(cut)))
        assert.deepStrictEqual(parts, ok(Sigchain.extend(start, events)))
        // A state is plain data: it can be stored as JSON and taken up again.
        assert.deepStrictEqual(JSON.parse(JSON.stringify(parts)), parts)
      })
    )
  })

  it("KEZ-SIG-122 KEZ-SIG-123 tells forks, rollbacks and outages from growth", () => {
    const hashes = [0, 1, 2, 3].map((seq) => hashOf(seq))
    const known = { seq: 2, hash: hashOf(2) }
    const tag = (found: ReadonlyArray<string>, first?: number) => Sigchain.compare(known, found, first)._tag
    assert.strictEqual(Sigchain.compare(undefined, hashes)._tag, "new")
    assert.strictEqual(tag(hashes.slice(0, 3)), "same")
    assert.deepStrictEqual(Sigchain.compare(known, hashes), { _tag: "extended", by: 1 })
    assert.strictEqual(tag(hashes.slice(2), 2), "extended")
    assert.strictEqual(tag([]), "unavailable")
    assert.strictEqual(tag(hashes.slice(0, 2)), "rollback")
    assert.strictEqual(tag([hashOf(0), hashOf(1), hashOf(2, "f"), hashOf(3)]), "fork")

    const rollback = Sigchain.alarm(alice.primary, Sigchain.compare(known, hashes.slice(0, 2)))
    assert.strictEqual(rollback?.code, "chain_rollback")
    assert.include(rollback?.detail, hashOf(2))
    assert.include(rollback?.detail, hashOf(1))
    const fork = Sigchain.alarm(alice.primary, Sigchain.compare(known, [hashOf(0), hashOf(1), hashOf(2, "f")]))
    assert.strictEqual(fork?.code, "chain_fork")
    assert.include(fork?.detail, hashOf(2, "f"))
    assert.isUndefined(Sigchain.alarm(alice.primary, Sigchain.compare(known, [])))
  })

  it.effect("KEZ-SIG-101 KEZ-SIG-102 reads the events it writes and refuses malformed ones", () =>
    Effect.gen(function* () {
      const first = yield* alice.signSigchainEvent({
        after: undefined,
        operation: { op: "add", payload: { subject: "dns:example.org" } },
        createdAt: time + 999
      })
      assert.deepStrictEqual(ok(Sigchain.parseEvent(first)), {
        primary: alice.primary,
        seq: 0,
        createdAt: time,
        op: "add",
        payload: { subject: "dns:example.org" }
      })
      const code = (members: Json.JsonObject) =>
        codeOf(Sigchain.parseEvent({ ...first, payload: { ...first.payload, ...members } }))
      assert.strictEqual(code({ prev: hashOf(0) }), "event_malformed")
      assert.strictEqual(code({ seq: 1 }), "event_malformed")
      assert.strictEqual(code({ seq: 1, prev: hashOf(0) }), "accepted")
      assert.strictEqual(code({ seq: 1, prev: hashOf(0).toUpperCase() }), "event_malformed")
      assert.strictEqual(code({ seq: -1 }), "event_malformed")
      assert.strictEqual(code({ seq: "0" }), "event_malformed")
      assert.strictEqual(code({ op: "" }), "event_malformed")
      assert.strictEqual(code({ op: "x".repeat(65) }), "event_malformed")
      assert.strictEqual(code({ payload: [] }), "event_malformed")
      assert.strictEqual(code({ created_at: "2026-01-01T00:00:00+00:00" }), "timestamp_malformed")
      const claim = yield* alice.signClaim({ subject: "dns:example.org", createdAt: time })
      assert.strictEqual(codeOf(Sigchain.parseEvent(claim)), "envelope_kind")
    })
  )

  it.effect("answers whatever members an event has", () =>
    Effect.gen(function* () {
      const first = yield* alice.signSigchainEvent({
        after: undefined,
        operation: { op: "add_endpoint", payload: Endpoint.nats(alice.primary, "nats://a") },
        createdAt: time
      })
      const value = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json.Json>
      const names = fc.constantFrom("seq", "prev", "created_at", "op", "payload")
      fc.assert(
        fc.property(fc.dictionary(names, value), (members) => {
          const envelope: Envelope.Envelope = { ...first, payload: { ...first.payload, ...members } }
          answers(Sigchain.parseEvent, envelope)
        })
      )
      fc.assert(fc.property(value, (json) => answers((input) => Endpoint.parse(input, alice.primary), json)))
      const ops = fc.constantFrom("add", "revoke", "rotate", "add_endpoint", "remove_endpoint", "set_shared_files", "x")
      fc.assert(
        fc.property(
          ops,
          fc.dictionary(fc.constantFrom("subject", "protocol", "url", "new_primary"), value),
          (op, payload) =>
            answers((events) => Sigchain.extend(Sigchain.empty(alice.primary), events), chain({ op, payload }))
        )
      )
    })
  )
})
