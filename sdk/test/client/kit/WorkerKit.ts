/** Keyed workers whose rounds a test decides. */
import { Clock, Effect, Logger, type Scope } from "effect"
import { TestClock } from "effect/testing"
import * as KeyedWorker from "../../../src/client/internal/KeyedWorker.ts"

type Answer = "again" | "idle" | Effect.Effect<"again" | "idle", unknown>

/** Lets every fiber run that waits for no time. */
export const flush = Effect.repeat(TestClock.adjust(0), { times: 20 })

/** A worker whose rounds are answered in turn, "idle" at last; `rounds` are their keys and when they began. */
export const start = Effect.fnUntraced(function* (
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

export const failing = (times: number, error: unknown = "no"): ReadonlyArray<Answer> =>
  Array.from({ length: times }, () => Effect.fail(error))

/** Whether a fiber that waits for `key` has gone on. */
export const waiting = Effect.fnUntraced(function* (worker: KeyedWorker.KeyedWorker, key: string) {
  const fiber = yield* Effect.forkChild(worker.settled(key), { startImmediately: true })
  return { fiber, isOver: () => fiber.pollUnsafe() !== undefined }
})

/** A test that sees what is logged. */
export const withLog = (test: (logged: ReadonlyArray<unknown>) => Effect.Effect<void, never, Scope.Scope>) =>
  Effect.suspend(() => {
    const logged: Array<unknown> = []
    const logger = Logger.make(({ cause, message }) => void logged.push(message, cause))
    return Effect.provide(test(logged), Logger.layer([logger]))
  })
