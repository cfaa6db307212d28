/** Bounds the memory of large bodies: a request takes a slot before its body is read and keeps it until it is answered. */
import { Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"

export interface BodySlotsOptions {
  /** Bodies in memory at once. */
  readonly total: number
  /** Of these, for one client: nobody takes all of them by sending slowly. */
  readonly perClient: number
}

/** Runs an effect while it holds a slot; `unavailable` at once where none is free, since whoever waits holds a connection. */
export type BodySlots = <A, E, R>(
  client: string,
  effect: Effect.Effect<A, E, R>
) => Effect.Effect<A, E | Problem.Problem, R>

export const bodySlots = ({ perClient, total }: BodySlotsOptions): BodySlots => {
  const taken = new Map<string, number>()
  let all = 0
  const release = (client: string) => {
    const left = (taken.get(client) as number) - 1
    if (left === 0) taken.delete(client)
    else taken.set(client, left)
    all--
  }
  return (client, effect) =>
    Effect.acquireUseRelease(
      Effect.suspend(() => {
        const own = taken.get(client) ?? 0
        if (all >= total || own >= perClient) {
          const detail = own >= perClient ? "finish sending the others first" : "too many are being sent; try again"
          return Effect.fail(new Problem.Problem({ code: "unavailable", detail }))
        }
        taken.set(client, own + 1)
        all++
        return Effect.void
      }),
      () => effect,
      () => Effect.sync(() => release(client))
    )
}
