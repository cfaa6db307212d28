/**
 * Carries out at the broker what the registry ended: closes a key's connections, purges a deleted account's inbox.
 *
 * The work list is a table that is written with the decision itself, so neither a crash nor a broker that is down
 * forgets one, and an admin command in another process is noticed as soon as the table is looked at again.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import { BrokerControl } from "../broker/BrokerControl.ts"
import { Registry, type Removal } from "../storage/Registry.ts"

const lookEveryMillis = 250

export class Removals extends Context.Service<
  Removals,
  {
    /** Works the list off now, without waiting for it. */
    readonly poke: Effect.Effect<void>
    /** Works the list off and says how much was done and what is left. */
    readonly run: Effect.Effect<{ readonly done: number; readonly left: number }>
  }
>()("@kez-chat/server/Removals") {
  /** Looks at the list four times a second while the scope is open. */
  static readonly layer: Layer.Layer<Removals, never, Registry | BrokerControl> = Layer.effect(
    Removals,
    Effect.suspend(() => make())
  )
}

const make = Effect.fnUntraced(function* () {
  const registry = yield* Registry
  const broker = yield* BrokerControl
  const turn = yield* Semaphore.make(1)
  const pokes = yield* Queue.sliding<void>(1)
  let complained = false
  /** Removals whose connections were closed here; what is left of them is the purge. */
  let kicked = new Set<number>()

  /** Says once, not four times a second, that it does not get on. */
  const complain = (error: { readonly message: string }) =>
    Effect.suspend(() => {
      if (complained) return Effect.succeed(false)
      complained = true
      return Effect.as(Effect.logWarning("ended accounts wait for the broker", error.message), false)
    })

  const kick = (removal: Removal) =>
    kicked.has(removal.id)
      ? Effect.succeed(true)
      : broker.kick(removal.primaryHex).pipe(
          Effect.tap(() => Effect.sync(() => kicked.add(removal.id))),
          Effect.as(true),
          Effect.catch(complain)
        )

  const finish = (removal: Removal) =>
    (removal.purge ? broker.purge(removal.primaryHex) : Effect.void).pipe(
      Effect.andThen(registry.removed(removal.id)),
      Effect.as(true),
      Effect.catch(complain)
    )

  const run = turn.withPermits(1)(
    Effect.gen(function* () {
      const list = yield* registry.removals
      kicked = new Set(list.map(({ id }) => id).filter((id) => kicked.has(id)))
      // All connections first: a purge that does not succeed must not let anybody stay.
      for (const removal of list) if (!(yield* kick(removal))) break
      let done = 0
      for (const removal of list) {
        if (!kicked.has(removal.id) || !(yield* finish(removal))) break
        done++
      }
      if (done > 0) {
        complained = false
        yield* Effect.logInfo("ended accounts removed from the broker").pipe(Effect.annotateLogs({ done }))
      }
      return { done, left: list.length - done }
    })
  )

  const wait = Effect.race(Queue.take(pokes), Effect.sleep(lookEveryMillis))
  // Nothing that goes wrong in one round, such as a failing disk, may end the rounds.
  const round = Effect.catchDefect(run, (defect) => complain(defect instanceof Error ? defect : new Error("defect")))
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(round, wait)))
  return Removals.of({ poke: Effect.asVoid(Queue.offer(pokes, undefined)), run })
})
