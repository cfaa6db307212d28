/** Waiting for a keyed worker, its end, and what holds of every sequence of calls. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Latch, Logger, Schedule, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as KeyedWorker from "../../../src/client/internal/KeyedWorker.ts"
import { failing, flush, start, waiting, withLog } from "../kit/WorkerKit.ts"

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
