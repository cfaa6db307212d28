import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { Claim, Endpoint, Envelope, type Json, Registration } from "../../../src/protocol/index.ts"
import { alice, bob, codeOf as failure, fixture, ok, time } from "../../kits/Accounts.ts"
import { answers, codeOf } from "../../kits/DecoderKit.ts"

const registration = await fixture(alice.signRegistration({ handle: "alice", server: "kez.lat", createdAt: time }))
const deletion = await fixture(alice.signDeletion({ handle: "alice", server: "kez.lat", createdAt: time }))
const edited = (envelope: Envelope.Envelope, members: Json.JsonObject): Envelope.Envelope => ({
  ...envelope,
  payload: { ...envelope.payload, ...members }
})

const record: Registration.HandleRecord = {
  handle: "alice@kez.lat",
  primary: alice.primary,
  registered_at: "2026-01-01T00:00:00Z",
  sigchain_url: `https://sig.kez.lat/v1/sigchains/ed25519/${alice.key.hex}`,
  endpoints: [Endpoint.nats(alice.primary, "tls://kez.lat:4222", "wss://kez.lat/nats")],
  registration
}

describe("Registration", () => {
  it("reads what identities sign", () => {
    const statement = ok(Registration.parseRegistration(registration))
    assert.deepInclude(statement, { handle: "alice", server: "kez.lat", primary: alice.primary, createdAt: time })
    assert.strictEqual(statement.key.hex, alice.key.hex)
    assert.strictEqual(ok(Registration.parseDeletion(deletion)).handle, "alice")
  })

  it("KEZ-SIG-006 KEZ-REG-001 refuses other kinds and malformed members", () => {
    assert.strictEqual(codeOf(Registration.parseRegistration(deletion)), "envelope_kind")
    assert.strictEqual(codeOf(Registration.parseDeletion(registration)), "envelope_kind")
    const code = (members: Json.JsonObject) => codeOf(Registration.parseRegistration(edited(registration, members)))
    assert.strictEqual(code({ handle: "al" }), "handle_malformed")
    assert.strictEqual(code({ handle: "Alice" }), "handle_malformed")
    assert.strictEqual(code({ handle: "alice@kez.lat" }), "handle_malformed")
    assert.strictEqual(code({ server: "kez lat" }), "handle_malformed")
    assert.strictEqual(code({ handle: 7 }), "envelope_malformed")
    assert.strictEqual(code({ created_at: "now" }), "timestamp_malformed")
  })

  it("KEZ-REG-011 has a window of five minutes either way", () => {
    const statement = ok(Registration.parseRegistration(registration))
    const code = (now: number) => codeOf(Registration.checkWindow(statement, now))
    assert.strictEqual(code(time + 300_000), "accepted")
    assert.strictEqual(code(time - 300_000), "accepted")
    assert.strictEqual(code(time + 300_001), "clock_skew")
    assert.strictEqual(code(time - 300_001), "clock_skew")
  })

  it("KEZ-REG-008 takes the flat form as the envelope it stands for", () => {
    const flat: Json.JsonObject = {
      handle: "alice",
      primary: alice.primary,
      created_at: "2026-01-01T00:00:00Z",
      registration_sig: registration.signature.sig
    }
    assert.deepStrictEqual(ok(Registration.parseRequest(flat, "kez.lat")), registration)
    assert.deepStrictEqual(ok(Registration.parseRequest(Envelope.toJson(registration), "x.y")), registration)
    const code = (json: Json.Json) => codeOf(Registration.parseRequest(json, "kez.lat"))
    assert.strictEqual(code({ ...flat, server: "kez.lat" }), "envelope_malformed")
    assert.strictEqual(code({ registration_sig: registration.signature.sig }), "envelope_malformed")
    assert.strictEqual(code(null), "envelope_malformed")
    assert.strictEqual(code([]), "envelope_malformed")
    assert.strictEqual(code({}), "envelope_malformed")
  })

  it("KEZ-REG-019 reads the records it writes and calls every fault record_invalid", () => {
    const json = Registration.recordToJson(record)
    assert.deepStrictEqual(ok(Registration.parseRecord(json)), record)
    const code = (members: Json.JsonObject) => codeOf(Registration.parseRecord({ ...json, ...members }))
    assert.strictEqual(code({ more: true }), "accepted")
    for (const members of [
      { handle: "alice" },
      { handle: null },
      { primary: "ed25519:00" },
      { primary: `ed25519:${"00".repeat(32)}` },
      { primary: bob.primary },
      { registered_at: "yesterday" },
      { sigchain_url: 1 },
      { endpoints: {} },
      { endpoints: [{ protocol: "iroh", node_id: alice.key.hex }] },
      { endpoints: [{ ...Endpoint.nats(bob.primary, "nats://a") }] },
      { registration: null },
      { registration: {} }
    ] as ReadonlyArray<Json.JsonObject>) {
      assert.strictEqual(code(members), "record_invalid", JSON.stringify(members))
    }
    const { registration: _, ...without } = json
    assert.strictEqual(codeOf(Registration.parseRecord(without)), "record_invalid")
  })

  it("KEZ-REG-029 reads a home's description", () => {
    const json: Json.JsonObject = {
      server: "kez.lat",
      broker: { tcp: ["tls://kez.lat:4222"], websocket: ["wss://kez.lat/nats"] },
      sig_server: "https://sig.kez.lat",
      limits: { frame_bytes: 65_536 }
    }
    assert.deepStrictEqual<unknown>(ok(Registration.parseWellKnown(json)), json)
    const code = (members: Json.JsonObject) => codeOf(Registration.parseWellKnown({ ...json, ...members }))
    assert.strictEqual(code({ server: "localhost" }), "accepted")
    assert.strictEqual(code({ server: "https://kez.lat" }), "record_invalid")
    assert.strictEqual(code({ broker: { tcp: ["http://kez.lat"], websocket: [] } }), "record_invalid")
    assert.strictEqual(code({ broker: { tcp: [] } }), "record_invalid")
    assert.strictEqual(code({ sig_server: "javascript:alert(1)" }), "record_invalid")
    assert.strictEqual(code({ limits: { frame_bytes: "many" } }), "record_invalid")
  })

  it("answers whatever it is given", () => {
    const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json.Json>
    const names = fc.constantFrom("handle", "primary", "registered_at", "endpoints", "registration", "broker", "limits")
    const objects = fc.dictionary(names, value).map((members) => ({ ...Registration.recordToJson(record), ...members }))
    for (const decode of [
      Registration.parseRecord,
      Registration.parseWellKnown,
      (json: Json.Json) => Registration.parseRequest(json, "kez.lat")
    ]) {
      fc.assert(fc.property(fc.oneof(value, objects), (json) => answers(decode, json)))
    }
  })
})

describe("Claim", () => {
  it.effect("KEZ-PRF-003 reads what identities sign", () =>
    Effect.gen(function* () {
      const claim = { subject: "dns:example.org", createdAt: time, expiresAt: time + 60_000 }
      const envelope = yield* alice.signClaim(claim)
      assert.deepStrictEqual(ok(Claim.parse(envelope)), { ...claim, primary: alice.primary })
      const code = (members: Json.JsonObject) => codeOf(Claim.parse(edited(envelope, members)))
      assert.strictEqual(code({ subject: "example.org" }), "identifier_malformed")
      assert.strictEqual(code({ subject: null }), "envelope_malformed")
      assert.strictEqual(code({ expires_at: null }), "envelope_malformed")
      assert.strictEqual(code({ expires_at: "2026-01-01T00:00:00Z" }), "envelope_malformed")
      assert.strictEqual(code({ created_at: 0 }), "envelope_malformed")
      const backwards = alice.signClaim({ subject: "dns:example.org", createdAt: time, expiresAt: time + 999 })
      assert.strictEqual(yield* failure(backwards), "envelope_malformed")
    })
  )
})
