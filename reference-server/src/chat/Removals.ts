/**
 * Removes ended accounts from the broker: closes a key's connections, purges a deleted account's inbox.
 *
 * The work list is a table written in the transaction that ends the account, so neither a crash nor a broker outage
 * loses an entry. The table is polled, so an admin command in another process is noticed too.
 */
import type { Problem } from "@kez-chat/sdk/protocol"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import { BrokerControl } from "../broker/BrokerControl.ts"
import { ActiveKeys } from "../storage/ActiveKeys.ts"
import { Registry, type Removal } from "../storage/Registry.ts"

const pollMillis = 250

export class Removals extends Context.Service<
  Removals,
  {
    /** Makes this server refuse the keys that ended, and starts a round without waiting for it. */
    readonly poke: Effect.Effect<void>
    /** Runs one round; gives how many removals were done and how many are left. */
    readonly run: Effect.Effect<{ readonly done: number; readonly left: number }, Problem.Problem>
  }
>()("@kez-chat/server/Removals") {
  /** Polls the list four times a second while the scope is open. */
  static readonly layer: Layer.Layer<Removals, never, Registry | ActiveKeys | BrokerControl> = Layer.effect(
    Removals,
    Effect.suspend(() => make())
  )
}

const make = Effect.fnUntraced(function* () {
  const registry = yield* Registry
  const activeKeys = yield* ActiveKeys
  const broker = yield* BrokerControl
  const turn = yield* Semaphore.make(1)
  const pokes = yield* Queue.sliding<void>(1)
  let hasWarned = false
  /** Removals whose connections were closed; only their purge is left. */
  let kicked = new Set<number>()

  /** Logs a failure once, not four times a second. */
  const warnOnce = (error: { readonly message: string }) =>
    Effect.suspend(() => {
      if (hasWarned) return Effect.succeed(false)
      hasWarned = true
      return Effect.as(
        Effect.annotateLogs(Effect.logWarning("ended accounts wait for the broker"), { reason: error.message }),
        false
      )
    })

  const kick = (removal: Removal) =>
    kicked.has(removal.id)
      ? Effect.succeed(true)
      : broker.kick(removal.primaryHex).pipe(
          Effect.tap(() => Effect.sync(() => kicked.add(removal.id))),
          Effect.as(true),
          Effect.catch(warnOnce)
        )

  const finish = (removal: Removal) =>
    (removal.purge ? broker.purge(removal.primaryHex) : Effect.void).pipe(
      Effect.andThen(registry.removed(removal.id)),
      Effect.as(true),
      Effect.catch(warnOnce)
    )

  const run = turn.withPermits(1)(
    Effect.gen(function* () {
      const list = yield* registry.removals
      // Whose connections are closed must not get in again.
      if (list.length > 0) yield* activeKeys.refresh
      kicked = new Set(list.map(({ id }) => id).filter((id) => kicked.has(id)))
      // All connections first: a failing purge must not leave anybody connected.
      for (const removal of list) if (!(yield* kick(removal))) break
      let done = 0
      for (const removal of list) {
        if (!kicked.has(removal.id) || !(yield* finish(removal))) break
        done++
      }
      if (done > 0) {
        hasWarned = false
        yield* Effect.logInfo("ended accounts removed from the broker").pipe(Effect.annotateLogs({ done }))
      }
      return { done, left: list.length - done }
    })
  )

  const wait = Effect.race(Queue.take(pokes), Effect.sleep(pollMillis))
  // A failed round, for one because of a failing disk, must not end the polling.
  const round = run.pipe(
    Effect.catch(warnOnce),
    Effect.catchDefect((defect) => warnOnce(defect instanceof Error ? defect : new Error("defect")))
  )
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(round, wait)))
  // The account has ended even if that cannot be read now.
  const poke = Effect.andThen(Effect.exit(activeKeys.refresh), Effect.asVoid(Queue.offer(pokes, undefined)))
  return Removals.of({ poke, run })
})
