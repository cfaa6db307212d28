/**
 * When the sigchain may name a manifest (spec: manifest, KEZ-MAN-026). An anchor takes room in the chain for ever, so
 * all devices of an account together have four per UTC day. The chain itself counts them: it is durable, and its links
 * keep two devices from taking the last one both.
 *
 * The first of a day serves any change. The others are reserved for removals: until an anchor follows, a server can
 * show the list with the removed file to readers who have seen no later one.
 */
import * as Effect from "effect/Effect"
import type { Envelope } from "../../../protocol/sigchain/Envelope.ts"
import { Limits, Sigchain } from "../../../protocol/index.ts"
import type { Problem } from "../../../protocol/Problem.ts"

const dayMillis = 24 * 60 * 60 * 1_000

export interface Anchor {
  /** `blake3:<hex>`. */
  readonly manifest: string
  /** Milliseconds since the epoch, by the clock of the device that signed it. */
  readonly createdAt: number
}

/** Every anchor of a verified chain, oldest first. */
export const anchorsOf = (chain: ReadonlyArray<Envelope>): Effect.Effect<ReadonlyArray<Anchor>, Problem> =>
  Effect.map(
    Effect.forEach(
      chain.filter(({ payload }) => payload["op"] === "set_shared_files"),
      (envelope) => Effect.fromResult(Sigchain.parseEvent(envelope))
    ),
    (events) => events.map(({ createdAt, payload }) => ({ manifest: String(payload["manifest"]), createdAt }))
  )

/** Whether another anchor may follow at `now`; `withdraws`: a published file was removed since the last one. */
export const isAllowed = (anchors: ReadonlyArray<Anchor>, now: number, withdraws: boolean): boolean => {
  const day = Math.floor(now / dayMillis)
  const today = anchors.filter(({ createdAt }) => Math.floor(createdAt / dayMillis) === day).length
  return today < (withdraws ? Limits.anchorsPerDay : 1)
}
