/**
 * This device's position in the account's stream (spec/messages.md, KEZ-SEQ; spec/broker.md, KEZ-NAT).
 *
 * An account's frames are on two subjects of one stream, mail and own copies, and a live frame names only its
 * predecessor on its own subject. So each subject has a position of its own, contiguous from the start. Fetches begin
 * at `base`, below which nothing is missing on either subject. Frames taken live beyond `base` are listed in `ahead`:
 * a fetch that returns them again skips them.
 */
import type { Delivered } from "../../services/Broker.ts"
import type { Page } from "../../protocol/broker/Page.ts"

export interface Position {
  /** The stream these numbers belong to; absent until the first page. */
  readonly epoch?: string
  /** Every frame of the account up to this stream sequence number was taken in. */
  readonly base: number
  /** The same, for mail alone and for own copies alone; at least `base`. */
  readonly inbox: number
  readonly self: number
  /** Sequence numbers beyond `base` that were taken in, ascending. */
  readonly ahead: ReadonlyArray<number>
}

export const start: Position = { base: 0, inbox: 0, self: 0, ahead: [] }

/** Frames ahead of `base` at which the client fetches, to bring `base` up: a restart refetches at most this many. */
export const realignAfter = 128

/**
 * What to do with a live frame: `take` it as the next of its subject; skip it as `known`; or `fetch`, because a frame
 * before it is missing or its number does not fit.
 */
export const judge = (
  position: Position,
  live: Pick<Delivered, "subject" | "seq" | "lastSeq">
): "take" | "known" | "fetch" => {
  if (position.epoch === undefined) return "fetch"
  if (live.seq <= position.base || position.ahead.includes(live.seq)) return "known"
  return live.seq > position[live.subject] && live.lastSeq <= position[live.subject] ? "take" : "fetch"
}

/** The position after a live frame that {@link judge} said to take. */
export const afterLive = (position: Position, live: Pick<Delivered, "subject" | "seq">): Position => {
  const moved = { ...position, [live.subject]: live.seq }
  const base = Math.max(moved.base, Math.min(moved.inbox, moved.self))
  return { ...moved, base, ahead: [...moved.ahead, live.seq].filter((seq) => seq > base) }
}

/** The position after everything up to `seq` was fetched from `base`. Pages hold both subjects. */
export const afterFetched = (position: Position, seq: number): Position => ({
  ...position,
  base: Math.max(position.base, seq),
  inbox: Math.max(position.inbox, seq),
  self: Math.max(position.self, seq),
  ahead: position.ahead.filter((taken) => taken > seq)
})

/** Whether a page shows another stream than the one this position counts. */
export const isOtherStream = (position: Position, page: Page): boolean =>
  position.epoch !== undefined && page.epoch !== position.epoch

/** Whether a page shows a stream that ends before this position. */
export const isBeyondEnd = (position: Position, page: Page): boolean => position.base > page.last
