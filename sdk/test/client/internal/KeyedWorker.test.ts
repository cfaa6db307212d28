import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Latch, Schedule } from "effect"
import { TestClock } from "effect/testing"
import { ServerUnreachable } from "@kez-chat/sdk/services"
import * as KeyedWorker from "../../../src/client/internal/KeyedWorker.ts"
import { failing, flush, start, waiting, withLog } from "../kit/WorkerKit.ts"

describe("a keyed worker", () => {
  it.effect("makes one round of the wakes before it, never within a wake, and one more of those during it", () =>
    Effect.gen(function* () {
      const gate = yield* Latch.make(false)
      const { rounds, worker } = yield* start([Effect.as(gate.await, "idle" as const)])
      for (let n = 0; n < 5; n++) worker.wake("a")
      assert.lengthOf(rounds, 0)
      yield* flush
      assert.lengthOf(rounds, 1)
      for (let n = 0; n < 5; n++) worker.wake("a")
      yield* flush
      assert.lengthOf(rounds, 1)
      yield* gate.open
      yield* flush
      assert.lengthOf(rounds, 2)
      assert.deepStrictEqual(worker.busy(), [])
    })
  )

  it.effect("goes on at once after `again`", () =>
    Effect.gen(function* () {
      const { times, worker } = yield* start(["again", "again", "idle"])
      worker.wake("a")
      yield* flush
      assert.deepStrictEqual(times(), [0, 0, 0])
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(times(), 3)
    })
  )

  it.effect("keeps nothing of a key at rest, and works for many side by side", () =>
    Effect.gen(function* () {
      const keys = Array.from({ length: 1_000 }, (_, n) => `key ${n}`)
      const gate = yield* Latch.make(false)
      const { rounds, worker } = yield* start(keys.map(() => Effect.as(gate.await, "idle" as const)))
      for (const key of keys) worker.wake(key)
      yield* flush
      assert.sameMembers(
        rounds.map(([key]) => key),
        keys
      )
      assert.sameMembers([...worker.busy()], keys)
      yield* gate.open
      yield* flush
      assert.deepStrictEqual(worker.busy(), [])
      assert.lengthOf(rounds, 1_000)
    })
  )

  it.effect("logs a defect, and makes the round that was asked for meanwhile", () =>
    withLog((logged) =>
      Effect.gen(function* () {
        const gate = yield* Latch.make(false)
        const { rounds, worker } = yield* start([Effect.andThen(gate.await, Effect.die("bug"))])
        worker.wake("a")
        yield* flush
        worker.wake("a")
        worker.wake("b")
        yield* gate.open
        yield* flush
        assert.deepStrictEqual(
          rounds.map(([key]) => key),
          ["a", "b", "a"]
        )
        assert.deepStrictEqual(worker.busy(), [])
        assert.include(JSON.stringify(logged), "bug")
      })
    )
  )
})

describe("after a failure, a keyed worker", () => {
  it.effect("pauses as the schedule says, and begins afresh after a success", () =>
    Effect.gen(function* () {
      const { times, worker } = yield* start([...failing(4), "idle", ...failing(2)])
      worker.wake("a")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(times(), [0, 1_000, 3_000, 7_000, 11_000])
      worker.wake("a")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(times().slice(5), [60_000, 61_000, 63_000])
    })
  )

  it.effect("begins afresh after `again` too", () =>
    Effect.gen(function* () {
      const { times, worker } = yield* start([...failing(2), "again", ...failing(1)])
      worker.wake("a")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(times(), [0, 1_000, 3_000, 3_000, 4_000])
    })
  )

  it.effect("waits as long as the server asks, though it is longer than the schedule's last pause", () =>
    Effect.gen(function* () {
      const error = (retryAfterMillis: number) =>
        new ServerUnreachable({ url: "https://home.example", detail: "busy", retryAfterMillis })
      const { times, worker } = yield* start([...failing(1, error(30_000)), ...failing(1, error(10))])
      worker.wake("a")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(times(), [0, 30_000, 32_000])
    })
  )

  it.effect("is not woken from its pause, but hurried, and the next pause is longer all the same", () =>
    Effect.gen(function* () {
      const { times, worker } = yield* start(failing(3))
      worker.wake("a")
      yield* TestClock.adjust("500 millis")
      worker.wake("a")
      yield* flush
      assert.deepStrictEqual(times(), [0])
      worker.hurry("a")
      assert.deepStrictEqual(times(), [0])
      yield* flush
      assert.deepStrictEqual(times(), [0, 500])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(times(), [0, 500, 2_500, 6_500])
    })
  )

  it.effect("makes no pause where it was hurried during the round", () =>
    Effect.gen(function* () {
      const gate = yield* Latch.make(false)
      const { times, worker } = yield* start([Effect.andThen(gate.await, Effect.fail("no")), ...failing(1)])
      worker.wake("a")
      yield* flush
      worker.hurry("a")
      yield* gate.open
      yield* flush
      assert.deepStrictEqual(times(), [0, 0])
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(times(), [0, 0, 2_000])
    })
  )

  it.effect("rests once the schedule is done, until it is woken", () =>
    Effect.gen(function* () {
      const retry = Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 2 }))
      const { times, worker } = yield* start(failing(5), { retry })
      worker.wake("a")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(times(), [0, 1_000, 2_000])
      assert.deepStrictEqual(worker.busy(), [])
      worker.wake("a")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(times().slice(3), [60_000, 61_000, 62_000])
    })
  )

  it.effect("answers a wake during the last attempt", () =>
    Effect.gen(function* () {
      const gate = yield* Latch.make(false)
      const answers = [Effect.andThen(gate.await, Effect.fail("no"))]
      const { times, worker } = yield* start(answers, { retry: Schedule.recurs(0) })
      worker.wake("a")
      yield* flush
      worker.wake("a")
      yield* gate.open
      yield* flush
      assert.deepStrictEqual(times(), [0, 0])
    })
  )
})

describe("the limit of keys at work", () => {
  it.effect("holds, pauses included", () =>
    Effect.gen(function* () {
      const { rounds, worker } = yield* start(failing(2), { concurrency: 2 })
      for (const key of ["a", "b", "c", "d"]) worker.wake(key)
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(rounds, [
        ["a", 0],
        ["b", 0]
      ])
      yield* TestClock.adjust("1 milli")
      assert.sameDeepMembers(rounds.slice(2), [
        ["a", 1_000],
        ["b", 1_000],
        ["c", 1_000],
        ["d", 1_000]
      ])
    })
  )

  it.effect("leaves the wakes of one that waits its turn to one round", () =>
    Effect.gen(function* () {
      const gate = yield* Latch.make(false)
      const { rounds, worker } = yield* start([Effect.as(gate.await, "idle" as const)], { concurrency: 1 })
      for (const key of ["a", "b", "b"]) worker.wake(key)
      yield* flush
      worker.wake("b")
      yield* gate.open
      yield* worker.settled("b")
      assert.deepStrictEqual(
        rounds.map(([key]) => key),
        ["a", "b"]
      )
    })
  )
})

describe("a round", () => {
  it.effect("begins once it is ready, and answers the wakes until then", () =>
    Effect.gen(function* () {
      const online = yield* Latch.make(false)
      const { times, worker } = yield* start([], {
        ready: () => Effect.andThen(online.await, Effect.sleep("2 seconds"))
      })
      worker.wake("a")
      yield* flush
      worker.wake("a")
      const settled = yield* waiting(worker, "a")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(times(), [])
      yield* online.open
      yield* TestClock.adjust("1 second")
      worker.hurry("a")
      assert.isFalse(settled.isOver())
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(times(), [62_000])
      assert.isTrue(settled.isOver())
      assert.deepStrictEqual(worker.busy(), [])
    })
  )

  it.effect("has the services that the worker was started with", () =>
    Effect.gen(function* () {
      class Name extends Context.Service<Name, string>()("test/Name") {}
      const names: Array<string> = []
      const worker = KeyedWorker.make()
      const round = () => Effect.map(Name, (name) => (names.push(name), "idle" as const))
      yield* Effect.provideService(worker.run({ round, retry: Schedule.forever }), Name, "alice")
      worker.wake("a")
      yield* worker.settled("a")
      assert.deepStrictEqual(names, ["alice"])
    })
  )
})
