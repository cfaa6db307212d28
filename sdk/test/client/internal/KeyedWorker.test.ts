import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Deferred, Duration, Effect, Exit, Fiber, Latch, Logger, Schedule, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ServerUnreachable } from "@kez-chat/sdk/services"
import * as KeyedWorker from "../../../src/client/internal/KeyedWorker.ts"

type Answer = "again" | "idle" | Effect.Effect<"again" | "idle", unknown>

/** Lets every fiber run that waits for no time. */
const flush = Effect.repeat(TestClock.adjust(0), { times: 20 })

/** A worker whose rounds are answered in turn, "idle" at last; `rounds` are their keys and when they began. */
const start = Effect.fnUntraced(function* (
  answers: ReadonlyArray<Answer>,
  options: Partial<KeyedWorker.Options<unknown, never>> = {}
) {
  const worker = KeyedWorker.make()
  const rounds: Array<readonly [key: string, at: number]> = []
  const left = [...answers]
  yield* worker.run({
    retry: KeyedWorker.backoff("1 second", "4 seconds"),
    round: (key) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => {
        rounds.push([key, at])
        const answer = left.shift() ?? "idle"
        return typeof answer === "string" ? Effect.succeed(answer) : answer
      }),
    ...options
  })
  return { worker, rounds, times: () => rounds.map(([, at]) => at) }
})

const failing = (times: number, error: unknown = "no"): ReadonlyArray<Answer> =>
  Array.from({ length: times }, () => Effect.fail(error))

/** Whether a fiber that waits for `key` has gone on. */
const waiting = Effect.fnUntraced(function* (worker: KeyedWorker.KeyedWorker, key: string) {
  const fiber = yield* Effect.forkChild(worker.settled(key), { startImmediately: true })
  return { fiber, isOver: () => fiber.pollUnsafe() !== undefined }
})

/** A test that sees what is logged. */
const withLog = (test: (logged: ReadonlyArray<unknown>) => Effect.Effect<void, never, Scope.Scope>) =>
  Effect.suspend(() => {
    const logged: Array<unknown> = []
    const logger = Logger.make(({ cause, message }) => void logged.push(message, cause))
    return Effect.provide(test(logged), Logger.layer([logger]))
  })

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

describe("waiting until a key is settled", () => {
  it.effect("ends at once where it is at rest, or the worker does not run", () =>
    Effect.gen(function* () {
      yield* KeyedWorker.make().settled("a")
      const { worker } = yield* start([])
      yield* worker.settled("a")
    })
  )

  it.effect("ends with the round under way, and after a wake with the one that follows", () =>
    Effect.gen(function* () {
      const gates = [yield* Deferred.make<"idle">(), yield* Deferred.make<"idle">()] as const
      const { worker } = yield* start(gates.map((gate) => Deferred.await(gate)))
      worker.wake("a")
      yield* flush
      const before = yield* waiting(worker, "a")
      worker.wake("a")
      const after = yield* waiting(worker, "a")
      yield* flush
      assert.deepStrictEqual([before.isOver(), after.isOver()], [false, false])
      yield* Deferred.succeed(gates[0], "idle")
      yield* flush
      assert.deepStrictEqual([before.isOver(), after.isOver()], [true, false])
      yield* Deferred.succeed(gates[1], "idle")
      yield* flush
      assert.isTrue(after.isOver())
    })
  )

  it.effect("ends with a round that fails, and during a pause with the next round", () =>
    Effect.gen(function* () {
      const { times, worker } = yield* start(failing(2))
      worker.wake("a")
      yield* worker.settled("a")
      assert.deepStrictEqual(times(), [0])
      const during = yield* waiting(worker, "a")
      yield* TestClock.adjust("999 millis")
      assert.isFalse(during.isOver())
      yield* TestClock.adjust("1 milli")
      assert.isTrue(during.isOver())
      assert.deepStrictEqual(times(), [0, 1_000])
    })
  )

  it.effect("can be given up, to no harm of others that wait", () =>
    Effect.gen(function* () {
      const gate = yield* Latch.make(false)
      const { worker } = yield* start([Effect.as(gate.await, "idle" as const)])
      worker.wake("a")
      const [impatient, patient] = [yield* waiting(worker, "a"), yield* waiting(worker, "a")]
      yield* flush
      yield* Fiber.interrupt(impatient.fiber)
      assert.isFalse(patient.isOver())
      yield* gate.open
      yield* Fiber.join(patient.fiber)
    })
  )

  it.effect("finds the key at rest when it ends", () =>
    Effect.gen(function* () {
      const { worker } = yield* start([])
      worker.wake("a")
      yield* worker.settled("a")
      assert.deepStrictEqual(worker.busy(), [])
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

describe("when its scope closes, a keyed worker", () => {
  it.effect("ends its rounds and pauses, releases who waits, and starts clean, and logs nothing", () =>
    withLog((logged) =>
      Effect.gen(function* () {
        const worker = KeyedWorker.make()
        const rounds: Array<string> = []
        const run = (scope: Scope.Scope) =>
          worker
            .run({
              retry: Schedule.spaced("1 second"),
              round: (key) =>
                Effect.suspend(() => {
                  rounds.push(key)
                  return key === "fails" ? Effect.fail("no") : Effect.never
                })
            })
            .pipe(Scope.provide(scope))
        const scope = yield* Scope.make()
        worker.wake("early")
        yield* run(scope)
        for (const key of ["fails", "hangs"]) worker.wake(key)
        yield* flush
        const underWay = yield* waiting(worker, "hangs")
        worker.wake("hangs")
        const waiters = [underWay, yield* waiting(worker, "hangs"), yield* waiting(worker, "fails")]
        yield* flush
        assert.isFalse(waiters.some(({ isOver }) => isOver()))
        yield* Scope.close(scope, Exit.void)
        for (const { fiber } of waiters) yield* Fiber.join(fiber)
        worker.wake("late")
        assert.deepStrictEqual(worker.busy(), [])
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(rounds, ["fails", "hangs"])
        const next = yield* Scope.make()
        yield* run(next)
        yield* flush
        assert.lengthOf(rounds, 2)
        worker.wake("hangs")
        yield* flush
        assert.deepStrictEqual(rounds.slice(2), ["hangs"])
        yield* Scope.close(next, Exit.void)
        assert.deepStrictEqual(logged, [])
      })
    )
  )

  it.effect("leaves a successor alone that was started before", () =>
    Effect.gen(function* () {
      const worker = KeyedWorker.make()
      const rounds: Array<string> = []
      const run = (name: string, scope: Scope.Scope) =>
        worker
          .run({
            retry: Schedule.forever,
            round: () => Effect.sync(() => (rounds.push(name), "idle" as const))
          })
          .pipe(Scope.provide(scope))
      const [first, second] = [yield* Scope.make(), yield* Scope.make()]
      yield* run("first", first)
      yield* run("second", second)
      yield* Scope.close(first, Exit.void)
      worker.wake("a")
      yield* worker.settled("a")
      assert.deepStrictEqual(rounds, ["second"])
      yield* Scope.close(second, Exit.void)
    })
  )
})

/** Wakes and hurries of three keys, with what passes between them, and how long each round takes and how it ends. */
const Step = Schema.Struct({
  key: Schema.Literals(["a", "b", "c"]),
  hurry: Schema.Boolean,
  restMillis: Schema.Literals([0, 1, 700])
})
const Ending = Schema.Struct({
  millis: Schema.Literals([0, 1, 500]),
  answer: Schema.Literals(["idle", "again", "no", "bug"])
})

it.effect.prop(
  "every wake is followed by a round that begins after it, and no key has two at once",
  [Schema.Array(Step), Schema.Array(Ending), Schema.Literals([1, 2, 3])],
  ([steps, endings, concurrency]) =>
    Effect.gen(function* () {
      const worker = KeyedWorker.make()
      const left = [...endings]
      const unanswered = new Set<string>()
      const atWork = new Set<string>()
      const broken = new Set<string>()
      yield* worker.run({
        concurrency,
        retry: Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 2 })),
        round: Effect.fnUntraced(function* (key: string) {
          if (atWork.has(key)) broken.add("two rounds of a key")
          atWork.add(key)
          if (atWork.size > concurrency) broken.add("more keys than allowed")
          unanswered.delete(key)
          const { answer, millis } = left.shift() ?? { answer: "idle", millis: 0 }
          if (millis > 0) yield* Effect.sleep(millis)
          atWork.delete(key)
          if (answer === "bug") return yield* Effect.die(answer)
          if (answer === "no") return yield* Effect.fail(answer)
          return answer as "again" | "idle"
        })
      })
      for (const { hurry, key, restMillis } of steps) {
        unanswered.add(key)
        if (hurry) worker.hurry(key)
        else worker.wake(key)
        if (restMillis > 0) yield* TestClock.adjust(Duration.millis(restMillis))
      }
      const settled = yield* Effect.forkChild(
        Effect.forEach(["a", "b", "c"], (key) => worker.settled(key), { discard: true })
      )
      while (settled.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([...broken, ...unanswered], [])
      while (worker.busy().length > 0) yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([...broken], [])
    }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.provide(Logger.layer([])))
)
