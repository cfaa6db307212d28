/**
 * A token bucket for the requests of each account, in this instance's memory. It holds `burst` tokens and regains one
 * every `refillMillis`.
 */
export const make = (burst: number, refillMillis: number, now: () => number = () => performance.now()) => {
  /** When each bucket that is not full will be. */
  const fullAt = new Map<string, number>()
  return {
    /** Takes a token; false if there is none. */
    take: (hex: string) => {
      const time = now()
      const full = Math.max(fullAt.get(hex) ?? 0, time)
      if (full - time > (burst - 1) * refillMillis) return false
      fullAt.set(hex, full + refillMillis)
      if (fullAt.size > 10_000) for (const [other, at] of fullAt) if (at <= time) fullAt.delete(other)
      return true
    }
  }
}
