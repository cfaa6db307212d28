/**
 * Keeps the manifest of what this account shares published: entries change together with the shares they are for, and what
 * follows is made good in the background, for as long as it takes.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Hash from "../../../protocol/encoding/Hash.ts"
import * as Limits from "../../../protocol/Limits.ts"
import * as Manifest from "../../../protocol/files/Manifest.ts"
import { Problem } from "../../../protocol/Problem.ts"
import { ServerUnreachable } from "../../../services/Directory.ts"
import type { Crypto } from "../../../services/Crypto.ts"
import type { StoreError } from "../../../services/LocalStore.ts"
import type { Transaction } from "../../internal/Ledger.ts"
import { Publication } from "./Publication.ts"
import { prefix } from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"

/**
 * Changes this close together are published as one; publications are at least `coalesceMillis` apart, and no change waits
 * longer than that. In milliseconds.
 */
const quietMillis = 250
const coalesceMillis = 10_000

/** How long after a failure it is tried again, in milliseconds: doubled from the first to the last. */
const firstPause = 1_000
const lastPause = 5 * 60_000

/** How often the chain is looked at for what other devices published, in milliseconds. */
const lookMillis = 60 * 60_000

export class Manifests extends Context.Service<
  Manifests,
  {
    /** Stages that entries were changed; they are published once the transaction is durable. See `Publication.changed`. */
    readonly changed: Publication["Service"]["changed"]
    /** `too_large` where an entry of so many bytes, encoded, would not fit beside those that are there. */
    room(from: Pick<Transaction, "scan">, entryBytes: number): Effect.Effect<void, Problem | StoreError>
    /** Waits until what is due was published, or an attempt at it failed; at once while nothing runs. */
    readonly settled: Effect.Effect<void>
    /** Publishes what is due, and looks for what other devices published, while the scope is open. */
    run(session: Session): Effect.Effect<void, never, Scope.Scope | Crypto>
  }
>()("@kez-chat/sdk/Manifests") {}

const make = Effect.gen(function* () {
  const publication = yield* Publication
  const signals = yield* Queue.unbounded<"changed" | "now">()
  let running = false
  let attempts = 0
  let waiting: Array<{ readonly after: number; readonly done: Deferred.Deferred<void> }> = []

  /**
   * Waits for a reason to publish, `pauseMillis` after a failure at the longest, and then for silence; `earliest` is when
   * the next publication may follow the last.
   */
  const awaken = Effect.fnUntraced(function* (pauseMillis: number, earliest: number) {
    const first = yield* Effect.timeoutOption(Queue.take(signals), pauseMillis === 0 ? lookMillis : pauseMillis)
    if (Option.isNone(first)) publication.look()
    if (Option.isNone(first) || first.value === "now") return
    const begun = yield* Clock.currentTimeMillis
    for (let now = begun; now < begun + coalesceMillis; now = yield* Clock.currentTimeMillis) {
      // A clock that was set back makes nobody wait longer.
      const apart = Math.min(earliest - now, coalesceMillis)
      const more = yield* Effect.timeoutOption(Queue.take(signals), Math.max(quietMillis, apart))
      if (Option.isNone(more) || more.value === "now") return
    }
  })

  const finish = () => {
    for (const { after, done } of waiting) if (attempts > after) Deferred.doneUnsafe(done, Effect.void)
    waiting = waiting.filter(({ after }) => attempts <= after)
  }

  const work = Effect.fnUntraced(function* (session: Session) {
    let pauseMillis = 0
    let earliest = 0
    while (true) {
      yield* awaken(pauseMillis, earliest)
      attempts += 1
      const result = yield* Effect.result(publication.publish(session))
      attempts += 1
      finish()
      if (Result.isSuccess(result)) {
        pauseMillis = 0
        if (result.success) earliest = (yield* Clock.currentTimeMillis) + coalesceMillis
      } else {
        const { failure } = result
        const longer = Math.min(Math.max(pauseMillis * 2, firstPause), lastPause)
        const wish = failure instanceof ServerUnreachable ? (failure.retryAfterMillis ?? 0) : 0
        pauseMillis = Math.max(longer, wish)
      }
    }
  })

  return Manifests.of({
    changed: (transaction, options) =>
      Effect.map(publication.changed(transaction, options), () =>
        transaction.onCommit(() => Queue.offerUnsafe(signals, "changed"))
      ),
    room: Effect.fnUntraced(function* (from, entryBytes) {
      const entries = yield* from.scan({ prefix: prefix.entries })
      const lengths = [...entries.map(({ value }) => value.length), entryBytes]
      const anchored = Hash.blank("blake3")
      const bytes = Manifest.bodyLength({ revision: Number.MAX_SAFE_INTEGER, anchored, createdAt: 0 }, lengths)
      if (bytes <= Limits.manifestBytes) return
      return yield* new Problem({
        code: "too_large",
        detail:
          `with this file the list of what you share would have ${bytes} bytes, more than ${Limits.manifestBytes}: ` +
          "take back what nobody needs any more, name fewer readers, or share it unlisted"
      })
    }),
    settled: Effect.gen(function* () {
      const due = Effect.orElseSucceed(publication.isDue, () => false)
      if (!running || !(yield* due)) return
      const done = yield* Deferred.make<void>()
      // An attempt that is under way may have begun too early; an even count means that none is.
      waiting.push({ after: attempts + (attempts % 2) + 1, done })
      Queue.offerUnsafe(signals, "now")
      yield* Deferred.await(done)
    }),
    run: Effect.fnUntraced(function* (session) {
      running = true
      publication.look()
      attempts += attempts % 2
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          running = false
          attempts += 4
          finish()
        })
      )
      Queue.offerUnsafe(signals, "now")
      yield* Effect.forkScoped(work(session))
    })
  })
})

export const layer: Layer.Layer<Manifests, never, Publication> = Layer.effect(Manifests, make)
