/**
 * The highest sequence number of the inbox stream that any instance of chat-server has seen, across restarts. A stream
 * that ends before it has lost acknowledged frames.
 */
import type BetterSqlite3 from "better-sqlite3"

export type StreamPosition = ReturnType<typeof make>

export const make = (sqlite: BetterSqlite3.Database) => {
  const read = sqlite.prepare<[], number>("SELECT value FROM broker_state WHERE name = 'last'").pluck()
  const write = sqlite.prepare(
    `INSERT INTO broker_state (name, value) VALUES ('last', ?)
     ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`
  )
  const zero = sqlite.prepare("DELETE FROM broker_state WHERE name = 'last'")
  let last = 0
  let lastWritten = read.get() ?? 0

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
    knownLast: () => Math.max(last, read.get() ?? 0),
    dropLast,
    /** Starts anew, for all instances. */
    resetLast: () => {
      dropLast()
      zero.run()
    },
    /** The number to write down, if it is higher than the one written last. */
    pending: () => (last > lastWritten ? last : undefined),
    /** Writes a number, in the transaction of the caller. */
    write: (seq: number) => void write.run(seq),
    /** That transaction was committed. */
    written: (seq: number) => {
      lastWritten = Math.max(seq, lastWritten)
    }
  }
}
