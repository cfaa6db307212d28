/**
 * Bounds the memory of large bodies: a request takes a slot before its body is read and keeps it until it is answered.
 *
 * A sender has proven nothing yet, so slots are shared fairly: when all are taken, a client that holds fewer takes over
 * a slot of the client that holds most, provided that its body is still arriving.
 */
import { Problem } from "@kez-chat/sdk/protocol"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

export interface BodySlotsOptions {
  /** Bodies in memory at once. */
  readonly total: number
  /** Of these, for one client. */
  readonly perClient: number
}

/**
 * Receives a body and handles it while holding a slot. `unavailable` at once if there is none, since waiting would hold
 * a connection, and for a body under way whose slot another client takes over.
 */
export type BodySlots = <A, B, E, R>(
  client: string,
  receive: Effect.Effect<A, E, R>,
  handle: (body: A) => Effect.Effect<B, E, R>
) => Effect.Effect<B, E | Problem.Problem, R>

interface Slot {
  readonly client: string
  readonly takenOver: Deferred.Deferred<never, Problem.Problem>
  isReceiving: boolean
}

const unavailable = (detail: string) => new Problem.Problem({ code: "unavailable", detail })

export const bodySlots = ({ perClient, total }: BodySlotsOptions): BodySlots => {
  const slots = new Set<Slot>()
  const heldBy = (client: string) => {
    let held = 0
    for (const slot of slots) if (slot.client === client) held++
    return held
  }

  /** The oldest body under way of the client that holds most, if that is two more than `own`. */
  const excess = (own: number): Slot | undefined => {
    let most = own + 1
    let found: Slot | undefined
    for (const slot of slots) {
      const held = slot.isReceiving ? heldBy(slot.client) : 0
      if (held > most) {
        most = held
        found = slot
      }
    }
    return found
  }

  const take = (client: string): Effect.Effect<Slot, Problem.Problem> =>
    Effect.suspend(() => {
      const own = heldBy(client)
      if (own >= perClient) return Effect.fail(unavailable("finish sending the others first"))
      if (slots.size >= total) {
        const victim = excess(own)
        if (victim === undefined) return Effect.fail(unavailable("too many are being sent; try again"))
        slots.delete(victim)
        Deferred.doneUnsafe(victim.takenOver, Effect.fail(unavailable("another client needs the room; try again")))
      }
      const slot: Slot = { client, takenOver: Deferred.makeUnsafe(), isReceiving: true }
      slots.add(slot)
      return Effect.succeed(slot)
    })

  return (client, receive, handle) =>
    Effect.acquireUseRelease(
      take(client),
      (slot) =>
        Effect.raceFirst(receive, Deferred.await(slot.takenOver)).pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              slot.isReceiving = false
            })
          ),
          Effect.flatMap(handle)
        ),
      (slot) => Effect.sync(() => slots.delete(slot))
    )
}
