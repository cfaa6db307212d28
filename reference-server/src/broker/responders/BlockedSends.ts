/**
 * Makes the answer to a blocked sender look as if its frame had been stored (spec KEZ-NAT-063): after the time of a
 * recent store, and counting repeated sends as repetitions.
 */
const remembered = 256
/** Delay before any store was seen. */
const firstGuessMillis = 3
/** The stream's duplicate window, and the most ids that are remembered. */
const windowMillis = 120_000
const maxIds = 100_000

export const make = (now: () => number = () => performance.now(), random: () => number = Math.random) => {
  const times: Array<number> = []
  const ids = new Map<string, number>()
  let next = 0
  return {
    /** Notes the duration of a store, in milliseconds. */
    noteStore: (millis: number) => {
      times[next] = millis
      next = (next + 1) % remembered
    },
    /** Delay before the answer in milliseconds: the duration of a random recent store. */
    delay: () => times[Math.floor(random() * times.length)] ?? firstGuessMillis,
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
