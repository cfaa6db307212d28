/** How often one account may ask: a token bucket for each, in memory, of this instance. */
export interface RequestBudget {
  /** Whether the account may ask once more; counts it. */
  take(hex: string): boolean
}

/** `burst` at once, and one back each `refillMillis`. */
export const make = (
  burst: number,
  refillMillis: number,
  now: () => number = () => performance.now()
): RequestBudget => {
  /** When the bucket will be full again, for those that are not. */
  const fullAt = new Map<string, number>()
  return {
    take: (hex) => {
      const time = now()
      const full = Math.max(fullAt.get(hex) ?? 0, time)
      if (full - time > (burst - 1) * refillMillis) return false
      fullAt.set(hex, full + refillMillis)
      if (fullAt.size > 10_000) for (const [other, at] of fullAt) if (at <= time) fullAt.delete(other)
      return true
    }
  }
}
