/**
 * Answers a blocked sender as if its frame had been stored (spec KEZ-NAT-063): after as long as a store lately took, and
 * a repetition of a send as a repetition.
 */
export interface BlockedSends {
  /** How long a store took, in milliseconds. */
  noteStore(millis: number): void
  /** How long to wait before the answer, in milliseconds: that of a random one of the latest stores. */
  delay(): number
  /** Whether a send of this id was answered in the time in which the stream would recognise it; remembers it. */
  isRepeated(id: string): boolean
}

const remembered = 256
/** Before any store was seen. */
const firstGuessMillis = 3
/** The stream's duplicate window, and the most ids that are kept of it. */
const windowMillis = 120_000
const maxIds = 100_000

export const make = (now: () => number = () => performance.now(), random: () => number = Math.random): BlockedSends => {
  const times: Array<number> = []
  const ids = new Map<string, number>()
  let next = 0
  return {
    noteStore: (millis) => {
      times[next] = millis
      next = (next + 1) % remembered
    },
    delay: () => times[Math.floor(random() * times.length)] ?? firstGuessMillis,
    isRepeated: (id) => {
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
