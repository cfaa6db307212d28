import { Effect, Fiber, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { join, makeWorld, twoFriends } from "../kit/People.ts"

describe("catching up", () => {
  it.live("tells how much of what waits is taken in, over all pages", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.chat.sync
      yield* bob.program.close
      for (let i = 0; i < 25; i++) yield* alice.chat.send("bob", `m${i}`)
      yield* alice.chat.flush
      world.broker.faults.pageSize = 10
      world.broker.setOnline(false)
      const { chat } = yield* world.start(bob.device)
      const states = yield* Effect.forkChild(
        Stream.runCollect(Stream.takeUntil(chat.catchingUp, ({ of, taken }) => taken > 0 && taken === of)),
        { startImmediately: true }
      )
      world.broker.setOnline(true)
      yield* chat.sync
      const seen = yield* Effect.map(Fiber.join(states), (all) => all.map(({ of, taken }) => [taken, of]))
      assert.deepStrictEqual(seen, [
        [0, 0],
        [0, 25],
        [10, 25],
        [20, 25],
        [25, 25]
      ])
    })
  )

  it.live("begins with the present state", () =>
    Effect.gen(function* () {
      const { chat } = yield* join(makeWorld(), "alice")
      yield* chat.sync
      const [first] = yield* Stream.runCollect(Stream.take(chat.catchingUp, 1))
      assert.deepStrictEqual(first, { taken: 0, of: 0 })
    })
  )
})

describe("a nudge", () => {
  it.live("replaces a connection that carries nothing any more, and fetches", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.flush
      world.broker.silence()
      yield* alice.chat.nudge
      yield* alice.chat.send("bob", "are you awake?")
      yield* alice.chat.flush
      assert.deepStrictEqual(bob.program.shown(), [])
      yield* bob.chat.nudge
      yield* bob.program.hasShown(["are you awake?"])
    })
  )

  it.live("fetches over a connection that answers", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      world.broker.faults.dropLive = () => true
      yield* alice.chat.send("bob", "hello")
      yield* alice.chat.flush
      yield* bob.chat.nudge
      yield* bob.program.hasShown(["hello"])
    })
  )

  it.live("does nothing without a connection", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { program, device } = yield* join(world, "alice")
      yield* program.close
      yield* (yield* world.start(device, { offline: true })).chat.nudge
    })
  )
})
