/**
 * The highest sequence number of an inbox stream that any instance of chat-server has seen, across restarts. A stream
 * that ends before it has lost acknowledged frames.
 */
import * as Effect from "effect/Effect"
import type { Database } from "../../storage/Database.ts"

export type StreamPosition = ReturnType<typeof make>

/** Of one of several streams, from 0. */
export const make = ({ sql }: Database["Service"], partition = 0) => {
  const name = partition === 0 ? "last" : `last${partition}`
  let last = 0
  let lastWritten = 0

  /** Forgets what this process has seen; what is written down stays. */
  const dropLast = (): void => {
    last = 0
    lastWritten = 0
  }
  return {
    noteLast: (seq: number) => {
      if (seq > last) last = seq
    },
    /** The highest number that this process has seen or any instance has written down. */
    knownLast: Effect.map(sql<{ value: number }>`SELECT value FROM broker_state WHERE name = ${name}`, ([written]) =>
      Math.max(last, written?.value ?? 0)
    ),
    dropLast,
    /** Starts anew, for all instances. */
    resetLast: Effect.suspend(() => {
      dropLast()
      return sql`DELETE FROM broker_state WHERE name = ${name}`
    }),
    /** The number to write down, if it is higher than the one written last. */
    pending: () => (last > lastWritten ? last : undefined),
    /** Its name in the table `broker_state`, where it only rises. */
    name,
    /** That number was written down. */
    written: (seq: number) => {
      lastWritten = Math.max(seq, lastWritten)
    }
  }
}
