export type OpenPerAddress = ReturnType<typeof openPerAddress>

/** Counts what each client address has open: at most `limit`, or any number if it is 0. */
export const openPerAddress = (limit: number) => {
  const open = new Map<string, number>()
  return {
    /** Takes one for `key`; false, and nothing is taken, at the limit. */
    take: (key: string) => {
      const own = open.get(key) ?? 0
      if (limit !== 0 && own >= limit) return false
      open.set(key, own + 1)
      return true
    },
    release: (key: string) => {
      const left = (open.get(key) ?? 1) - 1
      if (left === 0) open.delete(key)
      else open.set(key, left)
    }
  }
}
