/**
 * When the sigchain is to name a manifest (spec: manifest, KEZ-MAN-026). Every anchor takes room in the chain for ever, so
 * an account has four in a UTC day, on all its devices together. The chain itself counts them: it is durable, and its links
 * let no two devices take the last one.
 *
 * The first of a day goes to whatever is not anchored yet. The others are kept for what was taken back: until an anchor
 * follows, a server can show the list that still has it to readers who have seen none later.
 */
import * as Effect from "effect/Effect"
import type { Envelope } from "../../../protocol/sigchain/Envelope.ts"
import * as Limits from "../../../protocol/Limits.ts"
import type { Problem } from "../../../protocol/Problem.ts"
import * as Sigchain from "../../../protocol/sigchain/Sigchain.ts"

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

/** Whether another anchor may follow at `now`; `withdraws`: something was taken back since the last one. */
export const isAllowed = (anchors: ReadonlyArray<Anchor>, now: number, withdraws: boolean): boolean => {
  const day = Math.floor(now / dayMillis)
  const today = anchors.filter(({ createdAt }) => Math.floor(createdAt / dayMillis) === day).length
  return today < (withdraws ? Limits.anchorsPerDay : 1)
}
