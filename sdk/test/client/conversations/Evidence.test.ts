/** What an account can show of a message: made, checked without an account, and forged in every part. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { EvidenceCheck } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Acceptance, Bytes, Envelope, Hash, KeyAdmission } from "@kez-chat/sdk/protocol"
import * as Result from "effect/Result"
import { createHash, generateKeyPairSync, sign } from "node:crypto"
import { ghost } from "../kit/Ghost.ts"
import { codeOf, eventually, keyOf, makeWorld, newWords, twoFriends, type World } from "../kit/People.ts"
import { acceptKey, identityOf, rotated } from "../kit/Rotating.ts"

const sha256 = (bytes: Uint8Array) => Hash.format("sha256", createHash("sha256").update(bytes).digest())

/** A home's key, and what it signs. */
const notary = (server = "home.test") => {
  const pair = generateKeyPairSync("ed25519")
  const raw = pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32)
  const key = Result.getOrThrow(KeyAdmission.admit(Uint8Array.from(raw)))
  return {
    primary: `ed25519:${key.hex}`,
    sign: (recipient: KeyAdmission.AdmittedKey, frame: Uint8Array) => {
      const acceptedAt = Date.UTC(2026, 0, 2)
      const text = Envelope.signedText(
        Acceptance.payload({
          server,
          key,
          recipient: sha256(Acceptance.recipientBytes(recipient.ed25519)),
          frame: sha256(frame),
          acceptedAt
        })
      )
      const sig = sign(null, createHash("sha512").update(text).digest(), pair.privateKey)
      return { atMillis: acceptedAt, sig: Uint8Array.from(sig) }
    }
  }
}

/** Alice writes to Bob, at a home that signs; Bob's receipt has come. */
const delivered = (home = notary()) =>
  Effect.gen(function* () {
    const world = makeWorld()
    world.home.acceptanceKeys = [home.primary]
    world.broker.faults.sign = home.sign
    const { alice, bob } = yield* twoFriends(world)
    const { id } = yield* alice.chat.send("bob", "the rent is paid")
    yield* alice.program.event("State", ({ message }) => message.id === id && message.state === "delivered")
    const [message] = yield* alice.chat.history("bob")
    return { world, alice, bob, id, message: message! }
  })

const check = (file: string) => EvidenceCheck.check(file).pipe(Effect.provide(NodeCrypto.layer))

/** A parsed file, to be forged at will. */
type Parsed = ReturnType<typeof JSON.parse>

/** A file with one member changed. */
const changed = (file: string, change: (json: Parsed) => void): string => {
  const json = JSON.parse(file)
  change(json)
  return JSON.stringify(json)
}

/** Another text of this length. Not at its start: X25519 does not read the lowest bits of a secret. */
const flip = (text: string): string => `${text.slice(0, 9)}${text[9] === "A" ? "B" : "A"}${text.slice(10)}`

describe("evidence of a sent message", () => {
  it.live("KEZ-DM-101 KEZ-DM-102 shows author, text, acceptance and receipt to anybody", () =>
    Effect.gen(function* () {
      const home = notary()
      const { alice, bob, id, message } = yield* delivered(home)
      assert.strictEqual(message.acceptedAt, Date.UTC(2026, 0, 2))
      const shown = yield* check(yield* alice.chat.evidence(id))
      const [from, to] = [alice.account.primary, bob.account.primary]
      assert.deepInclude(shown, { from, to, id })
      assert.strictEqual(shown.body["text"], "the rent is paid")
      assert.deepStrictEqual(shown.acceptance, {
        server: "home.test",
        key: home.primary,
        at: Date.UTC(2026, 0, 2)
      })
      assert.deepStrictEqual(
        shown.receipts.map(({ status }) => status),
        ["delivered"]
      )
      assert.sameMembers(Object.keys(shown.heads), [from, to])
      // Of a received message there is its author's signature, and nothing of its way.
      const received = yield* check(yield* bob.chat.evidence(id))
      assert.deepInclude(received, { from, to, receipts: [] })
      assert.notProperty(received, "acceptance")
    })
  )

  it.live("KEZ-DM-100 KEZ-DM-101 KEZ-DM-102 is refused where any part of it is not what was signed", () =>
    Effect.gen(function* () {
      const { alice, id } = yield* delivered()
      const { id: other } = yield* alice.chat.send("bob", "the rent is not paid")
      yield* alice.program.event("State", ({ message }) => message.id === other && message.state === "delivered")
      const [first, second] = [yield* alice.chat.evidence(id), yield* alice.chat.evidence(other)]
      const foreign = JSON.parse(second)
      // KEZ-DM-103
      assert.notStrictEqual(foreign.acceptance.ephemeral, JSON.parse(first).acceptance.ephemeral)
      const forgeries: ReadonlyArray<readonly [code: string, change: (json: Parsed) => void]> = [
        ["signature_invalid", (json) => void (json.message.payload.created_at = "2020-01-01T00:00:00Z")],
        ["message_undecryptable", (json) => void (json.opens = flip(json.opens))],
        ["signature_invalid", (json) => void (json.acceptance.statement.payload.accepted_at = "2020-01-01T00:00:00Z")],
        ["signature_invalid", (json) => void (json.acceptance.statement.payload.server = "kez.lat")],
        ["evidence_invalid", (json) => void (json.acceptance = foreign.acceptance)],
        ["evidence_invalid", (json) => void (json.acceptance.ephemeral = flip(json.acceptance.ephemeral))],
        ["evidence_invalid", (json) => void (json.receipts = [{ message: json.message, opens: json.opens }])],
        ["evidence_invalid", (json) => void (json.receipts = foreign.receipts)],
        ["evidence_invalid", (json) => void (json.heads[alice.account.primary].hash = `sha256:${"0".repeat(64)}`)],
        ["evidence_invalid", (json) => void (json.heads[alice.account.primary].seq = 0)],
        ["evidence_invalid", (json) => void (json.heads = { [`ed25519:${"21".repeat(32)}`]: { seq: 0, hash: "" } })],
        ["evidence_invalid", (json) => void (json.version = 2)],
        ["envelope_malformed", (json) => void delete json.message],
        ["evidence_invalid", (json) => void delete json.receipts]
      ]
      for (const [code, change] of forgeries) {
        const found = codeOf(yield* Effect.flip(check(changed(first, change))))
        // A key that is none is refused before anything is compared.
        if (found !== "key_rejected") assert.strictEqual(found, code, String(change))
      }
      assert.strictEqual(codeOf(yield* Effect.flip(check("{}"))), "evidence_invalid")
      assert.strictEqual(codeOf(yield* Effect.flip(check("no file"))), "json_malformed")
    })
  )

  it.live("KEZ-NAT-103 leaves out a signature that does not hold, and the message is stored all the same", () =>
    Effect.gen(function* () {
      const [home, other] = [notary(), notary()]
      const wrong: ReadonlyArray<(world: World) => void> = [
        (world) => void (world.broker.faults.sign = other.sign),
        (world) => void (world.broker.faults.sign = notary("kez.lat").sign),
        (world) => void (world.broker.faults.sign = (to, frame) => home.sign(to, Bytes.concat(frame, frame))),
        (world) => void (world.broker.faults.sign = (to, frame) => ({ ...home.sign(to, frame), atMillis: 0 })),
        (world) => void world.home.unreachable.add("wellKnown")
      ]
      for (const spoil of wrong) {
        const world = makeWorld()
        world.home.acceptanceKeys = [home.primary]
        world.broker.faults.sign = home.sign
        const { alice } = yield* twoFriends(world)
        spoil(world)
        const { id } = yield* alice.chat.send("bob", "hi")
        yield* alice.program.event("State", ({ message }) => message.id === id && message.state === "delivered")
        assert.notProperty((yield* alice.chat.history("bob"))[0], "acceptedAt")
        assert.notProperty(yield* check(yield* alice.chat.evidence(id)), "acceptance")
      }
    })
  )

  it.live("KEZ-NAT-103 holds under the key that the home changes to", () =>
    Effect.gen(function* () {
      const { alice, world } = yield* delivered()
      const next = notary()
      world.home.acceptanceKeys = [next.primary, ...world.home.acceptanceKeys]
      world.broker.faults.sign = next.sign
      yield* alice.program.close
      const { chat, event } = yield* world.start(alice.device)
      const { id } = yield* chat.send("bob", "again")
      yield* event("State", ({ message }) => message.id === id && message.state === "delivered")
      assert.strictEqual((yield* check(yield* chat.evidence(id))).acceptance?.key, next.primary)
    })
  )

  it.live("KEZ-DM-101 is there still after a rotation of either side", () =>
    Effect.gen(function* () {
      const { alice, bob, id } = yield* delivered()
      const { id: answer } = yield* bob.chat.send("alice", "thanks")
      yield* alice.program.event("Message", ({ message }) => message.id === answer)
      const words = newWords()
      yield* rotated(alice.chat, words)
      yield* acceptKey(bob.chat, "alice", (yield* identityOf(words)).primary)
      for (const { chat } of [alice, bob]) {
        const [from, to] = [alice.account.primary, bob.account.primary]
        assert.deepInclude(yield* check(yield* chat.evidence(id)), { from, to })
        assert.deepInclude(yield* check(yield* chat.evidence(answer)), { from: to, to: from })
      }
      const sent = yield* check(yield* alice.chat.evidence(id))
      assert.deepStrictEqual([sent.receipts.length, sent.acceptance?.server], [1, "home.test"])
    })
  )

  it.live("is not to be had of a message that is not here", () =>
    Effect.gen(function* () {
      const { alice } = yield* delivered()
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.evidence("A".repeat(22)))), "evidence_invalid")
    })
  )
})

describe("what is missing from a conversation", () => {
  it.live("KEZ-DM-106 is told by the messages that came, and nothing is where all came", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.send("bob", "one")
      yield* bob.program.hasShown(["one"])
      yield* bob.chat.send("alice", "two")
      yield* eventually(() => alice.program.shown().length >= 2)
      const whole = yield* alice.chat.checkHistory("bob")
      assert.deepStrictEqual(whole, { messages: 2, linked: 1, missing: [], gaps: [] })
      // Bob's device says that it had another message, which never came, and counts three more.
      const him = yield* ghost(60)
      const prev = `sha256:${"7".repeat(64)}`
      const frame = yield* him.frame({ to: keyOf(alice.account.primary), seq: 3, prev })
      world.broker.store(keyOf(alice.account.primary), frame)
      yield* alice.program.event("Request")
      const { gaps, linked, messages, missing } = yield* alice.chat.checkHistory(him.primary)
      assert.deepStrictEqual([messages, linked], [1, 1])
      assert.deepStrictEqual(
        missing.map(({ prev }) => prev),
        [prev]
      )
      assert.deepStrictEqual(gaps, [{ from: him.primary, device: him.device, first: 0, last: 2 }])
    })
  )

  it.live("KEZ-DM-106 is not confused by a rotation, on either side", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.send("bob", "one")
      yield* bob.program.hasShown(["one"])
      yield* bob.chat.send("alice", "two")
      yield* eventually(() => alice.program.shown().length >= 2)
      world.broker.setOnline(false, keyOf(alice.account.primary))
      yield* alice.chat.send("bob", "waits")
      const words = newWords()
      yield* rotated(alice.chat, words)
      yield* alice.chat.flush
      yield* acceptKey(bob.chat, "alice", (yield* identityOf(words)).primary)
      yield* bob.chat.send("alice", "three")
      yield* bob.chat.flush
      yield* alice.chat.sync
      yield* bob.chat.sync
      for (const [chat, who] of [
        [alice.chat, "bob"],
        [bob.chat, "alice"]
      ] as const) {
        const { gaps, messages, missing } = yield* chat.checkHistory(who)
        assert.deepStrictEqual({ gaps, messages, missing }, { gaps: [], messages: 4, missing: [] })
      }
    })
  )
})
