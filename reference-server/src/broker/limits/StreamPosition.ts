/**
 * The highest sequence number of the inbox stream that any instance of chat-server has seen, across restarts. A stream
 * that ends before it has lost acknowledged frames.
 */
import type BetterSqlite3 from "better-sqlite3"

export interface StreamPosition {
  noteLast(seq: number): void
  /** The highest number that this process has seen or any instance has written down. */
  readonly knownLast: () => number
  /** Forgets what this process has seen; what is written down stays. */
  dropLast(): void
  /** Starts anew, for all instances. */
  resetLast(): void
  /** The number to write down, if it is higher than the one written last. */
  readonly pending: () => number | undefined
  /** Writes a number, in the transaction of the caller. */
  write(last: number): void
  /** That transaction was committed. */
  written(last: number): void
}

export const make = (sqlite: BetterSqlite3.Database): StreamPosition => {
  const read = sqlite.prepare<[], number>("SELECT value FROM broker_state WHERE name = 'last'").pluck()
  const write = sqlite.prepare(
    `INSERT INTO broker_state (name, value) VALUES ('last', ?)
     ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`
  )
  const zero = sqlite.prepare("DELETE FROM broker_state WHERE name = 'last'")
  let last = 0
  let lastWritten = read.get() ?? 0

  const dropLast = (): void => {
    last = 0
    lastWritten = 0
  }
  return {
    noteLast: (seq) => {
      if (seq > last) last = seq
    },
    knownLast: () => Math.max(last, read.get() ?? 0),
    dropLast,
    resetLast: () => {
      dropLast()
      zero.run()
    },
    pending: () => (last > lastWritten ? last : undefined),
    write: (seq) => void write.run(seq),
    written: (seq) => {
      lastWritten = Math.max(seq, lastWritten)
    }
  }
}
