/** Mail that the inbox policy holds back: it is let in whole or its end is told, and it never passes for a contact's. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { impostor, rotate } from "../kit/Liar.ts"
import { codeOf, identityOf, newDevice, newWords, textsOf } from "../kit/People.ts"
import { rotated } from "../kit/Rotating.ts"
import * as SteeredClock from "../kit/SteeredClock.ts"
import { claim, day, met, proofOf, start } from "../kit/Strangers.ts"

describe("held mail", () => {
  /** Carol's mail is held by Alice. */
  const heldOfCarol = (texts: ReadonlyArray<string>, now?: () => number) =>
    Effect.gen(function* () {
      const all = yield* met(now)
      yield* all.alice.chat.updateSettings({ inbox: "proven" })
      for (const text of texts) yield* all.carol.chat.send("alice", text)
      yield* all.alice.program.event("Held", ({ request }) => request.handle === "carol@home.test")
      yield* all.carol.chat.flush
      yield* all.alice.chat.sync
      return all
    })

  it.live("is still there after the account got another key, and opens with the former one", () =>
    Effect.gen(function* () {
      const { alice, carol } = yield* heldOfCarol(["first", "second"])
      yield* rotated(alice.chat, newWords())
      assert.deepInclude((yield* alice.chat.held)[0], { messages: 2 })
      assert.strictEqual((yield* alice.chat.accept(carol.account.primary)).state, "accepted")
      assert.deepStrictEqual(textsOf(yield* alice.chat.history("carol")), ["first", "second"])
      assert.deepStrictEqual(yield* alice.chat.held, [])
    })
  )

  it.live("that comes at the moment when the stranger is let in is shown as well", () =>
    Effect.gen(function* () {
      const { alice, carol, world } = yield* heldOfCarol(["first"])
      yield* alice.program.close
      const { store } = alice.device
      let looks = 0
      const slow: typeof store = {
        ...store,
        scan: (range) =>
          Effect.tap(store.scan(range), () => {
            if (!/^held\/./.test(range.prefix) || (looks += 1) > 1) return Effect.void
            const another = Effect.andThen(carol.chat.send("alice", "second"), carol.chat.flush)
            const isHeld = Effect.repeat(store.scan({ prefix: "held/" }), { until: ({ length }) => length === 2 })
            return Effect.ignore(Effect.andThen(another, Effect.timeoutOption(isHeld, "300 millis")))
          })
      }
      const again = yield* world.start({ ...alice.device, store: slow })
      yield* again.chat.sync
      yield* again.chat.accept(carol.account.primary)
      yield* again.chat.sync
      assert.deepStrictEqual(textsOf(yield* again.chat.history("carol")), ["first", "second"])
    })
  )

  it.live("that cannot be opened is told, and the stranger can be accepted all the same", () =>
    Effect.gen(function* () {
      const { alice, carol, world } = yield* heldOfCarol(["hello"])
      yield* alice.program.close
      const [entry] = yield* alice.device.store.scan({ prefix: "held/" })
      const row = JSON.parse(new TextDecoder().decode(entry!.value)) as object
      const value = new TextEncoder().encode(JSON.stringify({ ...row, frame: "AAAA" }))
      yield* alice.device.store.commit([{ op: "put", key: entry!.key, value }])
      const again = yield* world.start(alice.device)
      assert.strictEqual((yield* again.chat.accept(carol.account.primary)).state, "accepted")
      yield* again.event("Dropped")
      assert.deepStrictEqual(yield* again.chat.history("carol"), [])
    })
  )

  it.live("of a former key is held by the policy as well", () =>
    Effect.gen(function* () {
      const { alice, carol, world } = yield* met()
      yield* carol.chat.send("alice", "let me in")
      yield* carol.chat.flush
      const words = newWords()
      yield* rotated(alice.chat, words)
      const fresh = yield* world.start(newDevice())
      yield* fresh.chat.updateSettings({ inbox: "proven" })
      yield* fresh.chat.restore({ words, former: [alice.words] })
      const { request } = yield* fresh.event("Held", ({ request }) => request.handle === "carol@home.test")
      assert.strictEqual(request.messages, 1)
      assert.isFalse(fresh.events.some(({ _tag }) => _tag === "Request"))
      yield* fresh.chat.accept("carol")
      assert.deepStrictEqual(textsOf(yield* fresh.chat.history("carol")), ["let me in"])
    })
  )

  it.live("is never listed under a contact's handle, nor meant by it (KEZ-SEQ-045)", () =>
    Effect.gen(function* () {
      const { alice, carol, world } = yield* heldOfCarol(["hello"])
      const other = yield* impostor(world, "carol", 9)
      other.takesOver()
      yield* alice.chat.addContact("carol")
      assert.strictEqual((yield* alice.chat.held)[0]?.handle, carol.account.primary)
      assert.deepInclude(yield* alice.chat.block("carol"), { primary: other.primary, state: "blocked" })
      assert.strictEqual((yield* alice.chat.held).length, 1)
      yield* alice.chat.removeContact("carol")
      assert.strictEqual((yield* alice.chat.held).length, 1)
    })
  )

  it.live("is not shown when the stranger is blocked", () =>
    Effect.gen(function* () {
      const { alice, carol } = yield* heldOfCarol(["hello"])
      assert.deepInclude(yield* alice.chat.block("carol"), { handle: "carol@home.test", state: "blocked" })
      assert.deepStrictEqual(yield* alice.chat.history(carol.account.primary), [])
      assert.isFalse(alice.program.events.some(({ _tag }) => _tag === "Request" || _tag === "Message"))
      assert.deepStrictEqual(yield* alice.chat.held, [])
    })
  )

  it.live("is shown once the stranger is added, and removing them removes the contact, too", () =>
    Effect.gen(function* () {
      const { alice, carol } = yield* heldOfCarol(["hello"])
      yield* alice.chat.addContact("carol")
      yield* alice.program.event("Message", ({ message }) => message.text === "hello")
      assert.deepStrictEqual(yield* alice.chat.held, [])
      yield* alice.chat.removeContact(carol.account.primary)
      assert.strictEqual((yield* alice.chat.contacts).length, 1)
    })
  )

  it.live("ends after 30 days of the home server's clock, and the user is told (KEZ-PRF-165)", () =>
    SteeredClock.live(start, (clock) =>
      Effect.gen(function* () {
        let now = start
        const { alice, bob, carol, world } = yield* heldOfCarol(["hello"], () => now)
        yield* alice.program.close
        // The clock of the device alone decides nothing.
        clock.advance(40 * day)
        const again = yield* world.start(alice.device)
        yield* bob.chat.send("alice", "now")
        yield* again.event("Message")
        yield* again.chat.updateSettings({ inbox: "proven" })
        assert.strictEqual((yield* again.chat.held).length, 1)
        now += 31 * day
        yield* bob.chat.send("alice", "later")
        yield* again.event("Message", ({ message }) => message.text === "later")
        yield* again.chat.updateSettings({ inbox: "proven" })
        const { detail } = yield* again.event("Dropped")
        assert.include(detail, "carol@home.test")
        assert.deepStrictEqual(yield* again.chat.held, [])
        assert.strictEqual(codeOf(yield* Effect.flip(again.chat.contact(carol.account.primary))), "ContactUnknown")
      })
    )
  )

  it.live("is not let in by proofs of a key that was handed over", () =>
    Effect.gen(function* () {
      const { alice, bob, carol, identity, proofs, world } = yield* met()
      yield* claim(world, identity, "dns:carol.example")
      proofs.published.set("dns:carol.example", [yield* proofOf(identity, "dns:carol.example")])
      yield* rotate(world, identity, yield* identityOf(bob.words))
      yield* alice.chat.updateSettings({ inbox: "proven" })
      yield* carol.chat.send("alice", "hello")
      const { request } = yield* alice.program.event("Held")
      assert.include(request.sentence, "handed their key over")
    })
  )

  it.live("of a stranger whose request is shown is none, whatever the policy becomes (KEZ-PRF-168)", () =>
    Effect.gen(function* () {
      const { alice, carol } = yield* met()
      yield* carol.chat.send("alice", "one")
      yield* alice.program.event("Request")
      yield* alice.chat.updateSettings({ inbox: "contacts" })
      yield* carol.chat.send("alice", "two")
      yield* alice.program.event("Request", ({ message }) => message.text === "two")
      assert.deepStrictEqual(yield* alice.chat.held, [])
    })
  )
})
