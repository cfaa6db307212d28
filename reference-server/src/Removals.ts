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
import { BrokerControl } from "./broker/BrokerControl.ts"
import { Registry, type Removal } from "./Registry.ts"

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

  const carryOut = (removal: Removal) =>
    broker.kick(removal.primaryHex).pipe(
      Effect.andThen(removal.purge ? broker.purge(removal.primaryHex) : Effect.void),
      Effect.andThen(registry.removed(removal.id)),
      Effect.as(true),
      Effect.catch((error) => {
        if (complained) return Effect.succeed(false)
        complained = true
        return Effect.as(Effect.logWarning("ended accounts wait for the broker", error.message), false)
      })
    )

  const run = turn.withPermits(1)(
    Effect.gen(function* () {
      const list = yield* registry.removals
      let done = 0
      for (const removal of list) {
        if (!(yield* carryOut(removal))) break
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
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(run, wait)))
  return Removals.of({ poke: Effect.asVoid(Queue.offer(pokes, undefined)), run })
})
