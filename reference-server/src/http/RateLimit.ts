/**
 * A token bucket for each client, kept as one number: the time at which the bucket will be full again (the generic
 * cell rate algorithm). A full bucket needs no entry, so an idle client costs nothing.
 */

/**
 * Asks for a token, or for `tokens` at once: 0 when they were granted, else the seconds after which asking again can
 * succeed. More than the bucket holds are never granted.
 */
export type RateLimit = (key: string, tokens?: number) => number

export interface RateLimitOptions {
  /** Size of the bucket, and how many tokens come back over `periodMillis`; 0 grants everything. */
  readonly tokens: number
  readonly periodMillis: number
  /** Clients remembered at once; beyond it, those whose buckets are full are forgotten, then those that came first. */
  readonly maxKeys?: number
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number
}

/** Sums of times are off by less than this; a token that is there must not be refused for it. */
const roundingMillis = 0.001

export const rateLimit = (options: RateLimitOptions): RateLimit => {
  const { maxKeys = 100_000, now = () => performance.now(), periodMillis, tokens } = options
  if (tokens === 0) return () => 0
  const interval = periodMillis / tokens
  const fullAt = new Map<string, number>()
  return (key, wanted = 1) => {
    const time = now()
    const next = Math.max(fullAt.get(key) ?? 0, time) + interval * wanted
    const wait = next - periodMillis - time
    if (wait > roundingMillis) return Math.max(1, Math.ceil(wait / 1_000))
    if (fullAt.size >= maxKeys && !fullAt.has(key)) forget(fullAt, time)
    fullAt.set(key, next)
    return 0
  }
}

/** Drops full buckets; if that frees too little, the tenth that entered first. */
const forget = (fullAt: Map<string, number>, time: number): void => {
  const before = fullAt.size
  for (const [key, at] of fullAt) if (at <= time) fullAt.delete(key)
  let surplus = Math.ceil(before / 10) - (before - fullAt.size)
  for (const key of fullAt.keys()) {
    if (surplus-- <= 0) break
    fullAt.delete(key)
  }
}
