/** What is believed of a contact's claims as time passes: an outage turns nothing red, and nothing stays green unproven. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Encoding } from "@kez-chat/sdk/protocol"
import type { Identity } from "@kez-chat/sdk/crypto"
import { makeMemoryProofs } from "../../doubles/MemoryProofs.ts"
import { append } from "../kit/Liar.ts"
import { eventually, identityOf, join, makeWorld, newWords, type Program, twoFriends } from "../kit/People.ts"
import * as SteeredClock from "../kit/SteeredClock.ts"

const start = Date.parse("2026-03-01T00:00:00Z")
const hour = 3_600_000
const day = 24 * hour

/** Alice, and Bob whose chain claims `subjects`. */
const met = Effect.fnUntraced(function* (...subjects: ReadonlyArray<string>) {
  const proofs = makeMemoryProofs()
  const world = makeWorld({ proofs: proofs.layer })
  const { alice, bob } = yield* twoFriends(world)
  const identity = yield* identityOf(bob.words)
  for (const subject of subjects) yield* append(world, identity, { op: "add", payload: { subject } })
  return { proofs, world, alice, bob, identity }
})

const proofOf = (identity: Identity.Identity, subject: string, more: { readonly expiresAt?: number } = {}) =>
  Effect.map(identity.signClaim({ subject, createdAt: start, ...more }), (claim) => Encoding.encodeCompact(claim))

/** Waits until exactly these states were told of. */
const told = ({ events }: Program, states: ReadonlyArray<string>) => {
  const found = () => events.flatMap((event) => (event._tag === "ProofChanged" ? [event.claim.state] : []))
  return Effect.map(
    eventually(() => found().length >= states.length),
    () => assert.deepStrictEqual(found(), states)
  )
}

describe("a claim", () => {
  it.live("is valid with its evidence once its proof is found, and says so once (KEZ-PRF-151, KEZ-PRF-154)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, bob, identity, proofs } = yield* met("dns:Example.org")
        const text = yield* proofOf(identity, "dns:example.org")
        proofs.published.set("dns:example.org", [text])
        const [claim] = yield* alice.chat.checkProofs("bob")
        assert.deepInclude(claim, { subject: "dns:Example.org", system: "dns", state: "valid", revoked: false })
        assert.strictEqual(claim?.lastGoodAt, claim?.checkedAt)
        assert.strictEqual(claim?.evidence?.url, "memory:dns:example.org")
        assert.strictEqual(claim?.evidence?.recipe, "memory/1")
        assert.strictEqual((JSON.parse(claim?.evidence?.proof ?? "") as { kez: string }).kez, "claim")
        clock.advance(hour)
        yield* alice.chat.checkProofs("bob")
        const exported = yield* Stream.runCollect(alice.chat.export)
        assert.deepInclude(
          exported.find(({ kind }) => kind === "claim"),
          { of: bob.account.primary, state: "valid" }
        )
        yield* told(alice.program, ["valid"])
        assert.deepStrictEqual(
          (yield* alice.chat.verification("bob")).claims.map(({ state }) => state),
          ["valid"]
        )
      })
    )
  )

  it.live("is broken at once where it never held, with what was found as evidence (KEZ-PRF-150, KEZ-PRF-153)", () =>
    SteeredClock.live(start, () =>
      Effect.gen(function* () {
        const { alice, proofs } = yield* met("dns:bob.example", "github:bob", "web:https://bob.example")
        const other = yield* identityOf(newWords())
        proofs.published.set("dns:bob.example", [yield* proofOf(other, "dns:bob.example")])
        proofs.published.set("github:bob", ["nothing that is a proof"])
        const claims = yield* alice.chat.checkProofs("bob")
        assert.deepStrictEqual(
          claims.map(({ state }) => state),
          ["broken", "broken", "broken"]
        )
        assert.include(claims[0]?.sentence, other.primary)
        assert.strictEqual(claims[1]?.evidence?.proof, "nothing that is a proof")
        assert.include(claims[2]?.sentence, "there is no proof: memory:web:https://bob.example")
        assert.isUndefined(claims[0]?.lastGoodAt)
      })
    )
  )

  it.live("turns nothing red while its provider is down for a month (KEZ-PRF-152)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, identity, proofs } = yield* met("github:bob")
        proofs.published.set("github:bob", [yield* proofOf(identity, "github:bob")])
        const [good] = yield* alice.chat.checkProofs("bob")
        proofs.down.set("github", { reason: "network" })
        for (let days = 0; days < 30; days++) {
          clock.advance(day)
          const [claim] = yield* alice.chat.checkProofs("bob")
          assert.strictEqual(claim?.state, "unreachable")
          assert.strictEqual(claim?.lastGoodAt, good?.lastGoodAt)
          assert.deepStrictEqual(claim?.evidence, good?.evidence)
        }
        proofs.down.clear()
        clock.advance(day)
        assert.strictEqual((yield* alice.chat.checkProofs("bob"))[0]?.state, "valid")
        yield* told(alice.program, ["valid", "unreachable", "valid"])
      })
    )
  )

  it.live("breaks only after two checks an hour apart, and keeps when it last held (KEZ-PRF-153)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, identity, proofs } = yield* met("github:bob")
        const check = Effect.map(alice.chat.checkProofs("bob", "github:bob"), ([claim]) => claim!)
        proofs.published.set("github:bob", [yield* proofOf(identity, "github:bob")])
        const good = yield* check
        clock.advance(day)
        proofs.published.delete("github:bob")
        const missed = yield* check
        assert.strictEqual(missed.state, "valid")
        assert.include(missed.sentence, "checked again")
        assert.isAtMost(missed.nextCheckAt! - missed.checkedAt!, 70 * 60_000)
        clock.advance(hour - 60_000)
        assert.strictEqual((yield* check).state, "valid")
        clock.advance(2 * 60_000)
        const broken = yield* check
        assert.strictEqual(broken.state, "broken")
        assert.strictEqual(broken.lastGoodAt, good.lastGoodAt)
        proofs.published.set("github:bob", [yield* proofOf(identity, "github:bob")])
        clock.advance(hour)
        assert.strictEqual((yield* check).state, "valid")
        yield* told(alice.program, ["valid", "broken", "valid"])
      })
    )
  )

  it.live("is found again in the background an hour after it was missed (KEZ-PRF-155)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, bob, identity, proofs, world } = yield* met("github:bob")
        proofs.published.set("github:bob", [yield* proofOf(identity, "github:bob")])
        yield* alice.chat.checkProofs("bob")
        proofs.published.delete("github:bob")
        clock.advance(hour)
        yield* alice.chat.checkProofs("bob")
        yield* alice.program.close
        clock.advance(2 * hour)
        const again = yield* world.start(alice.device)
        const { claim, contact } = yield* again.event("ProofChanged")
        assert.deepInclude(claim, { state: "broken", subject: "github:bob" })
        assert.strictEqual(contact.primary, bob.account.primary)
      })
    )
  )

  it.live("ends when the proof says so, even while nobody can be asked (KEZ-PRF-004, KEZ-PRF-153)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, identity, proofs } = yield* met("github:bob")
        proofs.published.set("github:bob", [yield* proofOf(identity, "github:bob", { expiresAt: start + day })])
        const [valid] = yield* alice.chat.checkProofs("bob")
        assert.strictEqual(valid?.state, "valid")
        assert.isAtMost(valid?.nextCheckAt ?? Infinity, start + day)
        clock.advance(day + hour)
        assert.strictEqual((yield* alice.chat.proofs("bob"))[0]?.state, "broken")
        proofs.down.set("github", { reason: "network" })
        assert.strictEqual((yield* alice.chat.checkProofs("bob"))[0]?.state, "broken")
      })
    )
  )

  it.live("is postponed where a service limits requests, and never fails by it (KEZ-PRF-152)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, identity, proofs } = yield* met("github:bob")
        proofs.published.set("github:bob", [yield* proofOf(identity, "github:bob")])
        proofs.down.set("github", { reason: "rate_limited", retryAt: start + 2 * hour })
        const [limited] = yield* alice.chat.checkProofs("bob")
        assert.deepInclude(limited, { state: "unchecked", retryAt: start + 2 * hour })
        const before = proofs.asked.length
        yield* alice.chat.checkProofs("bob")
        assert.strictEqual(proofs.asked.length, before)
        clock.advance(3 * hour)
        proofs.down.clear()
        const [claim] = yield* alice.chat.checkProofs("bob")
        assert.strictEqual(claim?.state, "valid")
        assert.isUndefined(claim?.retryAt)
        proofs.down.set("github", { reason: "rate_limited" })
        clock.advance(day)
        assert.strictEqual((yield* alice.chat.checkProofs("bob"))[0]?.state, "valid")
      })
    )
  )

  it.live(
    "that was taken back is shown so, is not asked about, and touches no message (KEZ-PRF-151, KEZ-SIG-111)",
    () =>
      SteeredClock.live(start, () =>
        Effect.gen(function* () {
          const { alice, bob, identity, proofs, world } = yield* met("github:bob")
          proofs.published.set("github:bob", [yield* proofOf(identity, "github:bob")])
          yield* alice.chat.checkProofs("bob")
          yield* bob.chat.send("alice", "written before")
          yield* alice.program.hasShown(["written before"])
          const before = yield* alice.chat.history("bob")
          yield* append(world, identity, { op: "revoke", payload: { subject: "github:bob" } })
          const asked = proofs.asked.length
          const [claim] = yield* alice.chat.checkProofs("bob")
          assert.deepInclude(claim, { revoked: true, sentence: "it was taken back" })
          assert.isUndefined(claim?.nextCheckAt)
          assert.strictEqual(proofs.asked.length, asked)
          assert.deepStrictEqual(yield* alice.chat.history("bob"), before)
          assert.strictEqual((yield* alice.chat.contact("bob")).state, "accepted")
        })
      )
  )

  it.live("of somebody who is no contact is checked without storing anything", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, bob, identity, proofs } = yield* met("github:bob")
        proofs.published.set("github:bob", [yield* proofOf(identity, "github:bob")])
        yield* alice.chat.removeContact("bob")
        assert.deepStrictEqual(
          (yield* alice.chat.proofs("bob")).map(({ state }) => state),
          ["unchecked"]
        )
        assert.deepStrictEqual(
          (yield* alice.chat.checkProofs("@bob")).map(({ state }) => state),
          ["valid"]
        )
        clock.advance(hour)
        assert.deepStrictEqual(
          (yield* alice.chat.checkProofs(bob.account.primary)).map(({ state }) => state),
          ["valid"]
        )
        assert.deepStrictEqual(yield* alice.chat.contacts, [])
      })
    )
  )

  it.live("is checked when a profile is opened, and not again within the hour", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, identity, proofs } = yield* met("github:bob")
        proofs.published.set("github:bob", [yield* proofOf(identity, "github:bob")])
        yield* alice.chat.verification("bob")
        yield* alice.program.event("ProofChanged", ({ claim }) => claim.state === "valid")
        yield* alice.chat.verification("bob")
        clock.advance(2 * hour)
        yield* alice.chat.verification("bob")
        yield* eventually(() => proofs.asked.length === 2)
      })
    )
  )

  it.live("of a request is checked when the user looks at it or accepts, and never unasked (KEZ-PRF-155)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, proofs, world } = yield* met()
        const carol = yield* join(world, "carol")
        yield* append(world, yield* identityOf(carol.words), {
          op: "add",
          payload: { subject: "web:https://carol.example" }
        })
        yield* carol.chat.addContact("alice")
        yield* carol.chat.send("alice", "hello")
        yield* alice.program.event("Request")
        // Until the chain is read.
        while ((yield* alice.chat.proofs("carol")).length === 0) yield* Effect.sleep(5)
        clock.advance(day)
        yield* alice.program.close
        const again = yield* world.start(alice.device)
        yield* again.chat.sync
        assert.deepStrictEqual(proofs.asked, [])
        yield* again.chat.verification("carol")
        yield* again.event("ProofChanged", ({ contact }) => contact.primary === carol.account.primary)
        assert.strictEqual(proofs.asked.length, 1)
        yield* again.chat.accept("carol")
        clock.advance(2 * day)
        yield* eventually(() => proofs.asked.length === 2)
      })
    )
  )

  it.live("that newer ones push out is neither asked about again nor shown as proven (KEZ-PRF-152)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, identity, proofs, world } = yield* met("dns:victim.example")
        proofs.published.set("dns:victim.example", [yield* proofOf(identity, "dns:victim.example")])
        yield* alice.chat.checkProofs("bob")
        for (let n = 0; n < 32; n++) {
          yield* append(world, identity, { op: "add", payload: { subject: `dns:junk-${n}.example` } })
        }
        clock.advance(2 * hour)
        const [claim] = yield* alice.chat.checkProofs("bob", "dns:victim.example")
        assert.strictEqual(claim?.state, "unreachable")
        assert.strictEqual(proofs.asked.filter(({ subject }) => subject === "dns:victim.example").length, 1)
      })
    )
  )

  it.live("keeps little of what is found in place of a proof", () =>
    Effect.gen(function* () {
      const { alice, proofs } = yield* met("github:bob")
      proofs.published.set("github:bob", ["x".repeat(60_000)])
      const [claim] = yield* alice.chat.checkProofs("bob")
      assert.strictEqual(claim?.evidence?.proof.length, 2_048)
    })
  )
})
