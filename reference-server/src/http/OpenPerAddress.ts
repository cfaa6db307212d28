/** Counts what each client address has open, so that no address can take everything. */

export interface OpenPerAddress {
  /** Takes one for `key`; false, and nothing is taken, at the limit. */
  take(key: string): boolean
  release(key: string): void
}

/** At most `limit` for one key; 0 for no limit. */
export const openPerAddress = (limit: number): OpenPerAddress => {
  const open = new Map<string, number>()
  return {
    take: (key) => {
      const own = open.get(key) ?? 0
      if (limit !== 0 && own >= limit) return false
      open.set(key, own + 1)
      return true
    },
    release: (key) => {
      const left = (open.get(key) ?? 1) - 1
      if (left === 0) open.delete(key)
      else open.set(key, left)
    }
  }
}
