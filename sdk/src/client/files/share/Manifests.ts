/**
 * Keeps the published manifest of this account in step with its shares. Entries change in the same transaction as their
 * share; publishing follows in the background and is retried until it succeeds.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { Hash, Limits, Manifest } from "../../../protocol/index.ts"
import { Problem } from "../../../protocol/Problem.ts"
import { uptimeMillis } from "../../internal/BrokerClock.ts"
import * as KeyedWorker from "../../internal/KeyedWorker.ts"
import type { Transaction } from "../../internal/Ledger.ts"
import { prefix } from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import { Publication } from "./Publication.ts"

/** Changes closer together than this are published as one; in milliseconds. */
const quietMillis = 250

/** Minimum time between two publications, and maximum wait for further changes; in milliseconds. */
const coalesceMillis = 10_000

/** Interval between checks of chain and home for publications by other devices. */
const lookInterval = "1 hour"

/** The worker's only key. */
const own = "own"

const make = Effect.gen(function* () {
  const publication = yield* Publication
  const worker = KeyedWorker.make()
  /** Open from a call of `settled` until the next publication begins. */
  const now = Latch.makeUnsafe(false)
  /** Uptime of the latest change that no publication has picked up, and the earliest for the next publication. */
  let changedAt: number | undefined
  let earliest = 0

  /** Waits until changes stop coming and the last publication is long enough ago, `coalesceMillis` at most. */
  const quiet = Effect.gen(function* () {
    const latest = (yield* uptimeMillis) + coalesceMillis
    while (true) {
      const uptime = yield* uptimeMillis
      const until = Math.min(Math.max((changedAt ?? uptime) + quietMillis, earliest), latest)
      if (uptime >= until) return
      yield* Effect.sleep(until - uptime)
    }
  })

  const ready = Effect.gen(function* () {
    if (changedAt !== undefined) yield* Effect.raceFirst(quiet, Latch.await(now))
    // The pause after a failure has passed, or the interval: other devices may have published meanwhile.
    else if (!Latch.isOpen(now)) publication.look()
    changedAt = undefined
    Latch.closeUnsafe(now)
  })

  return {
    /** Stages a change of entries, to be published once the transaction is durable. See `Publication.changed`. */
    changed: Effect.fnUntraced(function* (transaction: Transaction, options?: { readonly withdraws: boolean }) {
      yield* publication.changed(transaction, options)
      const uptime = yield* uptimeMillis
      transaction.onDurable(() => {
        changedAt = uptime
        worker.hurry(own)
      })
    }),
    /** Fails with `too_large` if a further entry of `entryBytes`, encoded, does not fit in the manifest. */
    room: Effect.fnUntraced(function* (from: Pick<Transaction, "scan">, entryBytes: number) {
      const entries = yield* from.scan({ prefix: prefix.entries })
      const lengths = [...entries.map(({ value }) => value.length), entryBytes]
      const anchored = Hash.blank("blake3")
      const bytes = Manifest.bodyLength({ revision: Number.MAX_SAFE_INTEGER, anchored, createdAt: 0 }, lengths)
      if (bytes <= Limits.manifestBytes) return
      return yield* new Problem({
        code: "too_large",
        detail:
          `with this file the list of what you share would have ${bytes} bytes, more than ${Limits.manifestBytes}: ` +
          "unshare files that nobody needs any more, name fewer readers, or share it unlisted"
      })
    }),
    /** Publishes pending changes now and waits for that attempt; returns at once if nothing is due or running. */
    settled: Effect.gen(function* () {
      if (!(yield* Effect.orElseSucceed(publication.isDue, () => false))) return
      Latch.openUnsafe(now)
      worker.hurry(own)
      yield* worker.settled(own)
    }),
    /** Publishes changes and adopts what other devices published, until the scope closes. */
    run: Effect.fnUntraced(function* (session: Session) {
      yield* worker.run({
        ready: () => ready,
        round: Effect.fnUntraced(function* () {
          if (yield* publication.publish(session)) earliest = (yield* uptimeMillis) + coalesceMillis
          return "idle" as const
        }),
        retry: KeyedWorker.backoff("1 second", "5 minutes")
      })
      changedAt = undefined
      Latch.closeUnsafe(now)
      worker.wake(own)
      yield* Effect.forkScoped(
        Effect.forever(
          Effect.andThen(
            Effect.sleep(lookInterval),
            Effect.sync(() => worker.wake(own))
          )
        )
      )
    })
  }
})

export class Manifests extends Context.Service<Manifests>()("@kez-chat/sdk/Manifests", { make }) {}

export const layer = Layer.effect(Manifests, make)
