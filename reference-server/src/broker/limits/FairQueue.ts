/**
 * A bounded queue for each account, served round robin.
 *
 * However much one account sends, the next request of any other waits for at most one request of each account.
 */

export interface FairQueueLimits {
  /** Requests of one account that may wait, and their bytes. */
  readonly perAccount: number
  readonly bytesPerAccount: number
  /** Bytes of everything that waits. */
  readonly bytes: number
}

interface Lane<T> {
  readonly entries: Array<{ readonly item: T; readonly bytes: number }>
  bytes: number
}

/** Memory of a request besides its payload. */
const overheadBytes = 1024

export const make = <T>(limits: FairQueueLimits) => {
  // In order of turns: a served account moves to the end.
  const lanes = new Map<string, Lane<T>>()
  let size = 0
  let held = 0

  const remove = (account: string, lane: Lane<T>): T | undefined => {
    const entry = lane.entries.shift()
    lanes.delete(account)
    if (entry === undefined) return undefined
    size -= 1
    held -= entry.bytes
    lane.bytes -= entry.bytes
    if (lane.entries.length > 0) lanes.set(account, lane)
    return entry.item
  }

  return {
    /** Adds a request. `account` if that account has too many waiting, `full` if the queue has no room. */
    offer: (account: string, item: T, payloadBytes: number): "queued" | "account" | "full" => {
      const bytes = payloadBytes + overheadBytes
      const lane = lanes.get(account) ?? { entries: [], bytes: 0 }
      if (lane.entries.length >= limits.perAccount || lane.bytes + bytes > limits.bytesPerAccount) return "account"
      // At most a quarter of the remaining room, so that an account with nothing waiting always finds some.
      if (lane.bytes + bytes > (limits.bytes - held) / 4) return "full"
      lane.entries.push({ item, bytes })
      lane.bytes += bytes
      if (lane.entries.length === 1) lanes.set(account, lane)
      size += 1
      held += bytes
      return "queued"
    },
    /** The next request: of the first account in turn that `mayTake` allows. */
    take: (mayTake?: (account: string) => boolean): T | undefined => {
      for (const [account, lane] of lanes) {
        if (mayTake === undefined || mayTake(account)) return remove(account, lane)
      }
      return undefined
    },
    /** Empties the queue. */
    clear: (): ReadonlyArray<T> => {
      const items = [...lanes.values()].flatMap((lane) => lane.entries.map(({ item }) => item))
      lanes.clear()
      size = 0
      held = 0
      return items
    },
    size: () => size
  }
}
