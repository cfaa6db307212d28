/**
 * Publishes events to listeners without ever waiting for them.
 *
 * Each listener has a buffer of its own. One that falls too far behind loses events and gets `Missed` at that point of
 * its stream. Everything that happened is in the store, so it reads again what it shows (history, contacts).
 *
 * While the store fails, a new listener first gets the `StoreFailing` that was published before it subscribed.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Event } from "../model/index.ts"

/** Events that a listener may lag behind. */
const capacity = 4_096

interface Listener {
  readonly queue: Queue.Queue<Event>
  missed: number
}

export class Events extends Context.Service<
  Events,
  {
    /** Only for changes that are committed, and for failures of the store itself. */
    publish(event: Event): void
    /** Events from the moment the stream is run. */
    readonly stream: Stream.Stream<Event>
  }
>()("@kez-chat/sdk/Events") {}

export const make = (): Events["Service"] => {
  const listeners = new Set<Listener>()
  let failing: Event | undefined

  const listen = Effect.acquireRelease(
    Effect.gen(function* () {
      const listener: Listener = { queue: yield* Queue.dropping<Event>(capacity), missed: 0 }
      if (failing !== undefined) Queue.offerUnsafe(listener.queue, failing)
      listeners.add(listener)
      return listener
    }),
    (listener) => {
      listeners.delete(listener)
      return Queue.shutdown(listener.queue)
    }
  )

  const next = (listener: Listener): Effect.Effect<ReadonlyArray<Event>> =>
    Effect.suspend(() => {
      if (listener.missed === 0 || Queue.sizeUnsafe(listener.queue) > 0) {
        return Queue.takeBetween(listener.queue, 1, 256)
      }
      const missed: Event = { _tag: "Missed", count: listener.missed }
      listener.missed = 0
      return Effect.succeed([missed])
    })

  return {
    publish: (event) => {
      if (event._tag === "StoreFailing") failing = event
      else if (event._tag === "StoreRecovered") failing = undefined
      for (const listener of listeners) {
        // After the first loss nothing is added until the listener has seen `Missed`, which would come too late
        // otherwise.
        if (listener.missed > 0 || !Queue.offerUnsafe(listener.queue, event)) listener.missed += 1
      }
    },
    stream: Stream.unwrap(
      Effect.map(listen, (listener) => Stream.fromEffectRepeat(next(listener)).pipe(Stream.flattenIterable))
    )
  }
}

export const layer = Layer.sync(Events, make)
