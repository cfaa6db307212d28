/** Who may write: what the inbox policy lets in, what it holds back, and that nothing held is lost silently. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { codeOf, eventually, identityOf, join, textsOf } from "../kit/People.ts"
import { claim, day, hour, met, proofOf, start } from "../kit/Strangers.ts"
import * as SteeredClock from "../kit/SteeredClock.ts"

const shortOf = (primary: string) => `${primary.slice(0, 16)}...${primary.slice(-7)}`

const any = { systems: [], domains: [] }

describe("the inbox policy", () => {
  it.live("lets in a stranger whose proof holds, and shows which one (KEZ-PRF-164)", () =>
    Effect.gen(function* () {
      const { alice, carol, identity, proofs, world } = yield* met()
      yield* claim(world, identity, "dns:carol.example")
      proofs.published.set("dns:carol.example", [yield* proofOf(identity, "dns:carol.example")])
      yield* alice.chat.updateSettings({ inbox: "proven" })
      yield* carol.chat.send("alice", "first")
      yield* carol.chat.send("alice", "second")
      const { contact } = yield* alice.program.event("Request", ({ message }) => message.text === "second")
      assert.deepInclude(contact.admission, { by: "proof", subject: "dns:carol.example" })
      assert.strictEqual(contact.state, "requested")
      assert.deepStrictEqual(textsOf(yield* alice.chat.history("carol")), ["first", "second"])
      assert.deepStrictEqual(yield* alice.chat.held, [])
      assert.deepInclude((yield* alice.chat.proofs("carol"))[0], { state: "valid" })
    })
  )

  it.live("holds back forged proofs, and shows nothing of the stranger until the user accepts (KEZ-PRF-160)", () =>
    Effect.gen(function* () {
      const { alice, bob, carol, identity, proofs, world } = yield* met()
      yield* claim(world, identity, "dns:carol.example")
      yield* claim(world, identity, "github:carol")
      proofs.published.set("dns:carol.example", [yield* proofOf(yield* identityOf(bob.words), "dns:carol.example")])
      proofs.published.set("github:carol", [yield* proofOf(identity, "github:somebody-else")])
      yield* alice.chat.updateSettings({ inbox: "proven" })
      yield* carol.chat.send("alice", "let me in")
      const { request } = yield* alice.program.event(
        "Held",
        ({ request }) => request.claims.length === 2 && request.handle !== request.primary
      )
      assert.deepStrictEqual(
        request.claims.map(({ state }) => state),
        ["broken", "broken"]
      )
      assert.deepInclude(request, { handle: "carol@home.test", messages: 1, dropped: 0 })
      assert.include(request.sentence, bob.account.primary)
      assert.deepStrictEqual(
        (yield* alice.chat.contacts).map(({ handle }) => handle),
        ["bob@home.test"]
      )
      assert.strictEqual((yield* alice.chat.conversations).length, 1)
      yield* alice.chat.flush
      yield* carol.chat.sync
      assert.deepStrictEqual(
        (yield* carol.chat.history("alice")).map(({ state }) => state),
        ["stored"]
      )
      assert.strictEqual((yield* alice.chat.accept("carol")).state, "accepted")
      assert.deepStrictEqual(textsOf(yield* alice.chat.history("carol")), ["let me in"])
      assert.deepStrictEqual(yield* alice.chat.held, [])
    })
  )

  it.live("never takes a service that cannot be asked for a proof, says so, and asks again (KEZ-PRF-162)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, carol, identity, proofs, world } = yield* met()
        yield* claim(world, identity, "github:carol")
        proofs.published.set("github:carol", [yield* proofOf(identity, "github:carol")])
        proofs.down.set("github", { reason: "network" })
        yield* alice.chat.updateSettings({ inbox: "proven" })
        yield* carol.chat.send("alice", "hello")
        const { request } = yield* alice.program.event("Held", ({ request }) => request.claims.length > 0)
        assert.include(request.sentence, "cannot be checked now")
        assert.strictEqual(request.claims[0]?.state, "unreachable")
        assert.deepStrictEqual(yield* alice.chat.history("bob"), [])
        yield* alice.program.close
        proofs.down.clear()
        clock.advance(hour)
        const again = yield* world.start(alice.device)
        const { contact } = yield* again.event("Request")
        assert.deepInclude(contact.admission, { subject: "github:carol" })
      })
    )
  )

  it.live("does not let in by a proof that was good long ago, was missed since, or ended (KEZ-PRF-163)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, carol, identity, proofs, world } = yield* met()
        yield* claim(world, identity, "github:carol")
        proofs.published.set("github:carol", [yield* proofOf(identity, "github:carol")])
        yield* alice.chat.updateSettings({ inbox: "proven" })
        yield* alice.chat.addContact("carol")
        assert.strictEqual((yield* alice.chat.checkProofs("carol"))[0]?.state, "valid")
        yield* alice.chat.removeContact("carol")
        clock.advance(3 * day)
        proofs.down.set("github", { reason: "network" })
        yield* carol.chat.send("alice", "are you there?")
        yield* alice.program.event("Held", ({ request }) => request.claims[0]?.state === "unreachable")
        proofs.down.clear()
        proofs.published.delete("github:carol")
        clock.advance(day)
        yield* alice.chat.updateSettings({ inbox: "proven" })
        yield* alice.program.event("Held", ({ request }) => request.claims[0]?.state === "broken")
        assert.deepStrictEqual(
          (yield* alice.chat.contacts).map(({ handle }) => handle),
          ["bob@home.test"]
        )
      })
    )
  )

  it.live("counts only the systems and domains that are named, names below them included (KEZ-PRF-161)", () =>
    Effect.gen(function* () {
      const { alice, carol, identity, proofs, world } = yield* met()
      for (const subject of ["github:carol", "dns:evil-example.org"]) {
        yield* claim(world, identity, subject)
        proofs.published.set(subject, [yield* proofOf(identity, subject)])
      }
      yield* alice.chat.updateSettings({ inbox: "proven", provenBy: { systems: ["nostr"], domains: ["Example.ORG"] } })
      yield* carol.chat.send("alice", "hello")
      const { request } = yield* alice.program.event("Held")
      assert.include(request.sentence, "nostr, example.org")
      assert.deepStrictEqual(proofs.asked, [])
      yield* claim(world, identity, "web:https://carol.example.org/~carol")
      proofs.published.set("web:https://carol.example.org/~carol", [
        yield* proofOf(identity, "web:https://carol.example.org/~carol")
      ])
      yield* alice.chat.updateSettings({ inbox: "proven" })
      const { contact } = yield* alice.program.event("Request")
      assert.deepInclude(contact.admission, { subject: "web:https://carol.example.org/~carol" })
      for (const provenBy of [
        { systems: ["Not a system"], domains: [] },
        { systems: [], domains: ["org"] }
      ]) {
        assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.updateSettings({ provenBy }))), "identifier_malformed")
      }
    })
  )

  it.live("asks a service about no more than three claims of a stranger, the newest that count", () =>
    Effect.gen(function* () {
      const { alice, carol, identity, proofs, world } = yield* met()
      for (let n = 0; n < 5; n++) yield* claim(world, identity, `github:carol-${n}`)
      yield* claim(world, identity, "dns:carol.example")
      yield* alice.chat.updateSettings({ inbox: "proven", provenBy: { systems: ["github"], domains: [] } })
      yield* carol.chat.send("alice", "hello")
      yield* alice.program.event("Held", ({ request }) => request.claims.some(({ state }) => state === "broken"))
      assert.deepStrictEqual(proofs.asked.map(({ subject }) => subject).sort(), [
        "github:carol-2",
        "github:carol-3",
        "github:carol-4"
      ])
    })
  )

  it.live("takes only systems whose proofs some client can check", () =>
    Effect.gen(function* () {
      const { alice } = yield* met()
      const by = (...systems: ReadonlyArray<string>) =>
        alice.chat.updateSettings({ inbox: "proven", provenBy: { systems, domains: [] } })
      assert.deepStrictEqual((yield* by("did", "mastodon", "bluesky")).provenBy.systems, ["did", "ap", "bluesky"])
      assert.strictEqual(codeOf(yield* Effect.flip(by("ed25519"))), "identifier_malformed")
    })
  )

  it.live("applies a change to what is held, and keeps what is held within bounds (KEZ-PRF-165, KEZ-PRF-166)", () =>
    Effect.gen(function* () {
      const { alice, carol } = yield* met()
      yield* alice.chat.updateSettings({ inbox: "proven", provenBy: any })
      for (let n = 0; n < 25; n++) yield* carol.chat.send("alice", `message ${n}`)
      yield* carol.chat.flush
      yield* alice.chat.sync
      const [request] = yield* alice.chat.held
      assert.deepInclude(request, { messages: 20, dropped: 5 })
      yield* alice.chat.updateSettings({ inbox: "everyone" })
      yield* alice.program.event("Request", ({ message }) => message.text === "message 19")
      const { detail } = yield* alice.program.event("Dropped")
      assert.include(detail, "5 messages of carol@home.test were dropped")
      assert.strictEqual((yield* alice.chat.history("carol")).length, 20)
      assert.isUndefined((yield* alice.chat.contact("carol")).admission)
    })
  )

  it.live("drops what is held when the user removes or blocks the stranger", () =>
    Effect.gen(function* () {
      const { alice, carol } = yield* met()
      yield* alice.chat.updateSettings({ inbox: "proven" })
      yield* carol.chat.send("alice", "hello")
      yield* carol.chat.flush
      yield* alice.chat.sync
      yield* alice.chat.removeContact(carol.account.primary)
      assert.deepStrictEqual(yield* alice.chat.held, [])
      yield* carol.chat.send("alice", "again")
      yield* carol.chat.flush
      yield* alice.chat.sync
      assert.strictEqual((yield* alice.chat.block(carol.account.primary)).state, "blocked")
      assert.deepStrictEqual(yield* alice.chat.held, [])
    })
  )
})

describe("an introduction", () => {
  it.live("by an accepted contact lets a newcomer in, and says who introduced them (KEZ-PRF-171, KEZ-PRF-173)", () =>
    Effect.gen(function* () {
      const { alice, bob, carol } = yield* met()
      yield* bob.chat.addContact("carol")
      yield* alice.chat.updateSettings({ inbox: "contacts", introductions: true })
      yield* carol.chat.send("alice", "bob said you would know")
      yield* alice.program.event("Held")
      yield* bob.chat.introduce("alice", "carol")
      const { contact, message } = yield* alice.program.event("Request")
      assert.strictEqual(message.text, "bob said you would know")
      assert.deepInclude(contact.admission, { by: "introduction", who: "bob@home.test" })
      const [shown] = yield* alice.chat.history("bob")
      assert.deepInclude(shown, {
        type: "introduction",
        text: `introduction of ${shortOf(carol.account.primary)}, said to be carol@home.test`
      })
      assert.include(String(shown?.body["fallback"]), "I introduce carol@home.test")
      assert.deepInclude((yield* alice.chat.introductions)[0], { direction: "received", peer: bob.account.primary })
      assert.deepInclude((yield* bob.chat.introductions)[0], { direction: "given", newcomer: carol.account.primary })
    })
  )

  it.live("counts for seven days, until it is taken back, and only while its author is accepted (KEZ-PRF-170)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        const { alice, bob, carol } = yield* met(() => start)
        yield* bob.chat.addContact("carol")
        yield* alice.chat.updateSettings({ inbox: "proven", introductions: true })
        yield* bob.chat.introduce("alice", "carol")
        yield* alice.program.event("Message", ({ message }) => message.type === "introduction")
        yield* bob.chat.withdrawIntroduction("alice", "carol")
        yield* alice.program.event("Message", ({ message }) => message.text.includes("taken back"))
        assert.deepStrictEqual(yield* alice.chat.introductions, [])
        yield* carol.chat.send("alice", "hello")
        yield* alice.program.event("Held", ({ request }) => request.handle === "carol@home.test")
        yield* bob.chat.introduce("alice", "carol")
        yield* alice.program.event("Request")
        clock.advance(8 * day)
        assert.deepStrictEqual(yield* alice.chat.introductions, [])
        assert.deepInclude(yield* Effect.flip(bob.chat.withdrawIntroduction("alice", "carol")), {
          _tag: "IntroductionRefused",
          reason: "unknown"
        })
      })
    )
  )

  it.live("needs two accepted contacts, and five to one contact are open at most (KEZ-PRF-172)", () =>
    Effect.gen(function* () {
      const { alice, bob, world } = yield* met()
      for (let n = 0; n < 6; n++) {
        yield* join(world, `friend-${n}`)
        yield* bob.chat.addContact(`friend-${n}`)
      }
      for (let n = 0; n < 5; n++) yield* bob.chat.introduce("alice", `friend-${n}`)
      yield* bob.chat.introduce("alice", "friend-0")
      const refused = yield* Effect.flip(bob.chat.introduce("alice", "friend-5"))
      assert.deepInclude(refused, { _tag: "IntroductionRefused", reason: "too_many" })
      assert.strictEqual(codeOf(yield* Effect.flip(bob.chat.introduce("alice", "nobody"))), "ContactUnknown")
      assert.deepInclude(yield* Effect.flip(bob.chat.introduce("alice", "alice")), { reason: "not_accepted" })
      yield* bob.chat.flush
      yield* alice.chat.sync
      yield* eventually(() => alice.program.shown().length === 6)
      assert.strictEqual((yield* alice.chat.introductions).length, 5)
    })
  )
})
