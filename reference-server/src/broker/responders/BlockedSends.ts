/**
 * Makes the answer to a blocked sender look as if its frame had been stored (spec KEZ-NAT-063): after the time of a
 * recent store, and counting repeated sends as repetitions.
 */
const remembered = 256
/** At most so many of the newest stores, none older than this, tell how busy the stream is now. */
const recent = 16
const recentMillis = 1_000
/** Delay before any store was seen. */
const firstGuessMillis = 3
/** The stream's duplicate window, and the most ids that are remembered. */
const windowMillis = 120_000
const maxIds = 100_000

export const make = (now: () => number = () => performance.now(), random: () => number = Math.random) => {
  /** Oldest first. */
  const stores: Array<{ readonly at: number; readonly millis: number }> = []
  const ids = new Map<string, number>()

  /**
   * Durations of stores as the next one could take it. Where nothing was stored just now, those of a busy hour would be
   * too long, and a sender could tell: an idle stream is about as fast as it ever was.
   */
  const likely = (): ReadonlyArray<number> => {
    const since = now() - recentMillis
    const newest = stores.slice(-recent).filter(({ at }) => at > since)
    if (newest.length > 0) return newest.map(({ millis }) => millis)
    return stores
      .map(({ millis }) => millis)
      .sort((a, b) => a - b)
      .slice(0, recent)
  }

  return {
    /** Notes the duration of a store, in milliseconds. */
    noteStore: (millis: number) => {
      stores.push({ at: now(), millis })
      if (stores.length > remembered) stores.shift()
    },
    /** Delay before the answer in milliseconds: the duration of a random store, as one would take now. */
    delay: () => {
      const millis = likely()
      return millis[Math.floor(random() * millis.length)] ?? firstGuessMillis
    },
    /** Notes a send's id; true if it was noted before, within the stream's duplicate window. */
    isRepeated: (id: string) => {
      const time = now()
      // In the order in which they came.
      for (const [old, at] of ids) {
        if (at > time - windowMillis && ids.size < maxIds) break
        ids.delete(old)
      }
      if (ids.has(id)) return true
      ids.set(id, time)
      return false
    }
  }
}
