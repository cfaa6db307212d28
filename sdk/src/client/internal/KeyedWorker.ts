/**
 * Background work by key, such as sending by recipient, receipts by peer or checks by contact.
 *
 * Waking a key makes a round of work due for it. Rounds of different keys run concurrently, those of one key in
 * sequence. A round looks for work when it begins, so all wakes before that share one round, and wakes during it share
 * the next. Failures are retried on a schedule. A key has a fiber and state only while it works, pauses or waits for
 * its turn.
 *
 * The state is plain and synchronous, so that `wake` can be called where a transaction commits.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Latch from "effect/Latch"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { ServerUnreachable } from "../../services/Directory.ts"

export interface Options<E, R> {
  /**
   * One round of work for a key. "again" asks for another at once, "idle" lets the key rest until the next wake. A
   * defect is logged and counts as "idle": the key stays usable, and other keys are not affected.
   */
  readonly round: (key: string) => Effect.Effect<"again" | "idle", E, R>
  /**
   * Pauses between consecutive failures of a key; the error is the schedule's input. It restarts after a success. When
   * it ends, the key rests as after "idle".
   */
  readonly retry: Schedule.Schedule<unknown, E>
  /** Run before each round, such as a wait for the connection: wakes that arrive meanwhile are served by that round. */
  readonly ready?: (key: string) => Effect.Effect<void, never, R>
  /** Most keys that work at a time, including those that pause after a failure. Unlimited by default. */
  readonly concurrency?: number
}

export interface KeyedWorker {
  /** Asks for a round that begins soon after this call, never within it. Ignored while the worker does not run. */
  wake(key: string): void
  /** As `wake`, and a pause after a failure ends at once. */
  hurry(key: string): void
  /**
   * Waits for the end of the round that is due, or else of the round under way; whether it succeeds does not matter.
   * After `wake` this is a round that began after the wake. Returns at once if the key rests or the worker does not
   * run.
   */
  settled(key: string): Effect.Effect<void>
  /** The keys that are not at rest. */
  busy(): ReadonlyArray<string>
  /** Starts the worker. When the scope closes it stops, drops its keys and releases all who wait for them. */
  run<E, R>(options: Options<E, R>): Effect.Effect<void, never, R | Scope.Scope>
}

/** A key that is not at rest. */
interface Work {
  /** Another round is due: after a wake, a failure or "again". */
  due: boolean
  /** Completed when the round under way ends, and when the one after it does. */
  current: Deferred.Deferred<void>
  next: Deferred.Deferred<void>
  /** Open from `hurry` until the next round begins. */
  readonly hurried: Latch.Latch
}

interface Run {
  readonly works: Map<string, Work>
  start(key: string, work: Work): void
}

const release = (waiting: Deferred.Deferred<void>) => void Deferred.doneUnsafe(waiting, Effect.void)

const begin = (work: Work): void => {
  work.due = false
  Latch.closeUnsafe(work.hurried)
  work.current = work.next
  work.next = Deferred.makeUnsafe()
}

/** Pauses that double from `first` up to `last`, but are never shorter than what an unreachable server asked for. */
export const backoff = (first: Duration.Input, last: Duration.Input): Schedule.Schedule<unknown, unknown> =>
  Schedule.modifyDelay(Schedule.min([Schedule.exponential(first), Schedule.spaced(last)]), ({ duration, input }) => {
    const asked = input instanceof ServerUnreachable ? (input.retryAfterMillis ?? 0) : 0
    return Effect.succeed(Duration.max(duration, Duration.millis(asked)))
  })

export const make = (): KeyedWorker => {
  let running: Run | undefined

  const demand = (key: string): Work | undefined => {
    if (running === undefined) return undefined
    const known = running.works.get(key)
    if (known !== undefined) {
      known.due = true
      return known
    }
    const next = Deferred.makeUnsafe<void>()
    const work: Work = { due: true, current: next, next, hurried: Latch.makeUnsafe(false) }
    running.works.set(key, work)
    running.start(key, work)
    return work
  }

  const run = Effect.fnUntraced(function* <E, R>({ concurrency, ready, retry, round }: Options<E, R>) {
    const fork = yield* FiberSet.makeRuntime<R>()
    const permits = yield* Semaphore.make(concurrency ?? Infinity)
    const works = new Map<string, Work>()

    const firstStep = Schedule.toStep(retry)

    const rounds = Effect.fnUntraced(function* (key: string, work: Work) {
      let step: Effect.Success<typeof firstStep> | undefined
      while (work.due) {
        yield* Effect.yieldNow
        if (ready !== undefined) yield* ready(key)
        begin(work)
        const ended = work.current
        const result = yield* Effect.catchCause(Effect.result(round(key)), (defect) =>
          Effect.as(Effect.logError("background work failed", defect), Result.succeed("idle" as const))
        )
        const outcome = Result.isSuccess(result)
          ? result.success
          : yield* Pull.matchEffect((step ??= yield* firstStep)(yield* Clock.currentTimeMillis, result.failure), {
              onSuccess: ([, pause]) => Effect.succeed(pause),
              onDone: () => Effect.succeed("idle" as const),
              onFailure: Effect.failCause
            })
        if (outcome !== "idle") work.due = true
        if (!work.due) works.delete(key)
        release(ended)
        if (typeof outcome === "string") step = undefined
        else yield* Effect.race(Effect.sleep(outcome), Latch.await(work.hurried))
      }
    })

    const opened: Run = {
      works,
      start: (key, work) => void fork(Semaphore.withPermit(permits, rounds(key, work)))
    }
    running = opened
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (running === opened) running = undefined
        for (const { current, next } of works.values()) {
          release(current)
          release(next)
        }
        works.clear()
      })
    )
  })

  return {
    wake: (key) => void demand(key),
    hurry: (key) => {
      const work = demand(key)
      if (work !== undefined) Latch.openUnsafe(work.hurried)
    },
    settled: (key) =>
      Effect.suspend(() => {
        const work = running?.works.get(key)
        return work === undefined ? Effect.void : Deferred.await(work.due ? work.next : work.current)
      }),
    busy: () => [...(running?.works.keys() ?? [])],
    run
  }
}
