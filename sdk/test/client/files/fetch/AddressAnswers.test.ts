/** Answers to contacts who ask where this device is. */
import { Clock, Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { answered, answersTo, chain, friendOf, inboxOf, nonceOf, request, say } from "../../kit/AddressBodies.ts"
import { serving } from "../../kit/Files.ts"
import { ghost } from "../../kit/Ghost.ts"
import { join, keyOf, makeWorld } from "../../kit/People.ts"

describe("answering", () => {
  it.live("KEZ-DM-023 tells accepted contacts where the device is, and nobody else", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const me = keyOf(alice.account.primary)
      const stranger = yield* ghost(31)
      const requested = yield* ghost(32)
      const blocked = yield* friendOf(world, alice, 33)
      const friend = yield* friendOf(world, alice, 34)
      world.broker.store(me, yield* requested.frame({ to: me, text: "hello" }))
      yield* alice.program.event("Request", ({ contact }) => contact.primary === requested.primary)
      yield* alice.chat.block(blocked.primary)
      yield* serving(alice)
      for (const one of [stranger, requested, blocked]) yield* say(world, one, me, request(1))
      yield* say(world, friend, me, request(2))
      const [answer] = yield* answered(world, friend, 1)
      assert.deepStrictEqual(answer?.type === "address" && answer.nonce, nonceOf(2))
      assert.match(answer?.type === "address" ? answer.addrs.join() : "", /^127\.0\.0\.1:\d+$/)
      const ahead = answer?.type === "address" ? answer.expiresAt - Date.now() : 0
      assert.isAbove(ahead, 3 * 60_000)
      assert.isBelow(ahead, 5 * 60_000)
      yield* alice.chat.sync
      yield* alice.chat.flush
      for (const one of [stranger, requested, blocked]) {
        // The blocked one was accepted before.
        const bodies = (yield* inboxOf(world, one)).filter(({ type }) => type !== "receipt")
        assert.deepStrictEqual(bodies, [])
      }
    })
  )

  it.live("KEZ-DM-024 leaves no message, no own copy, no receipt and no new contact", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const me = keyOf(alice.account.primary)
      const friend = yield* friendOf(world, alice, 35)
      const stranger = yield* ghost(36)
      yield* serving(alice)
      const shown = alice.program.events.length
      yield* say(world, stranger, me, request(1))
      yield* say(world, friend, me, request(2))
      const unasked = { type: "address" as const, nonce: nonceOf(9), addrs: ["127.0.0.1:1"], chain }
      yield* say(world, friend, me, { ...unasked, expiresAt: Date.now() + 60_000 })
      yield* answered(world, friend, 1)
      yield* alice.chat.sync
      yield* alice.chat.flush
      assert.deepStrictEqual(alice.program.events.slice(shown), [])
      assert.strictEqual((yield* alice.chat.history(friend.primary)).length, 1)
      assert.deepStrictEqual(
        (yield* alice.chat.contacts).map(({ primary }) => primary),
        [friend.primary]
      )
      assert.deepStrictEqual(
        world.broker.stored(me).filter(({ subject }) => subject === "self"),
        []
      )
      // One receipt, for what made them a friend.
      assert.sameMembers(
        (yield* inboxOf(world, friend)).map(({ type }) => type),
        ["receipt", "address"]
      )
    })
  )

  it.live("starts with the newest request of each contact from the last day", () =>
    Effect.gen(function* () {
      let ago = 0
      const world = makeWorld({ now: () => Date.now() - ago })
      const alice = yield* join(world, "alice")
      const me = keyOf(alice.account.primary)
      const late = yield* friendOf(world, alice, 37)
      const friend = yield* friendOf(world, alice, 38)
      yield* alice.program.close
      ago = 25 * 60 * 60 * 1000
      yield* say(world, late, me, request(1))
      ago = 23 * 60 * 60 * 1000
      for (const fill of [2, 3, 4]) yield* say(world, friend, me, request(fill))
      ago = 0
      const again = yield* world.start(alice.device)
      yield* again.chat.sync
      yield* serving(again)
      const answers = yield* answered(world, friend, 1)
      yield* again.chat.flush
      assert.deepStrictEqual(
        answers.map((answer) => answer.type === "address" && answer.nonce),
        [nonceOf(4)]
      )
      assert.deepStrictEqual(yield* answersTo(world, friend), answers)
      assert.deepStrictEqual(yield* answersTo(world, late), [])
      // What was answered is not answered again at the next start.
      yield* again.close
      const third = yield* world.start(alice.device)
      yield* serving(third)
      yield* third.chat.sync
      yield* third.chat.flush
      assert.strictEqual((yield* answersTo(world, friend)).length, 1)
    })
  )

  it.live("is rate-limited for a contact who keeps asking, and does not delay others", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const me = keyOf(alice.account.primary)
      const eager = yield* friendOf(world, alice, 39)
      const friend = yield* friendOf(world, alice, 40)
      yield* serving(alice)
      for (let fill = 0; fill < 60; fill++) {
        yield* say(world, eager, me, request(fill))
        yield* alice.chat.sync
      }
      yield* say(world, friend, me, request(200))
      yield* answered(world, friend, 1)
      yield* alice.chat.flush
      const answers = yield* answersTo(world, eager)
      assert.isAtLeast(answers.length, 1)
      assert.isAtMost(answers.length, 9)
    })
  )

  it.live("is rate-limited even when this device's clock is set back", () =>
    Effect.gen(function* () {
      let back = 0
      const clock = yield* Clock.Clock
      const shifted: Clock.Clock = Object.assign(Object.create(clock), {
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now - back),
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() - back
      })
      yield* Effect.gen(function* () {
        const world = makeWorld()
        const alice = yield* join(world, "alice")
        const me = keyOf(alice.account.primary)
        const eager = yield* friendOf(world, alice, 41)
        yield* serving(alice)
        yield* say(world, eager, me, request(1))
        yield* answered(world, eager, 1)
        back = 60 * 60 * 1000
        for (let fill = 0; fill < 60; fill++) {
          yield* say(world, eager, me, request(fill))
          yield* alice.chat.sync
        }
        yield* alice.chat.flush
        assert.isAtMost((yield* answersTo(world, eager)).length, 10)
      }).pipe(Effect.provideService(Clock.Clock, shifted))
    })
  )
})
