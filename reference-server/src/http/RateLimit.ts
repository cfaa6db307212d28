/**
 * A token bucket for each client, kept as one number: the time at which the bucket will be full again (the generic
 * cell rate algorithm). A full bucket needs no entry, so an idle client costs nothing.
 */

/**
 * Takes a token, or `tokens` at once: 0 when granted, else the seconds until another try can succeed. More than the
 * bucket holds are never granted.
 */
export type RateLimit = (key: string, tokens?: number) => number

export interface RateLimitOptions {
  /** Size of the bucket, refilled over `periodMillis`; 0 grants everything. */
  readonly tokens: number
  readonly periodMillis: number
  /** Clients remembered at once; beyond it, those with full buckets are forgotten, then the oldest. */
  readonly maxKeys?: number
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number
}

/** Rounding errors of sums stay below this, and must not refuse a token that is there. */
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

/** A limit and its name in metrics. */
export interface NamedLimit {
  readonly name: string
  readonly take: RateLimit
}

export const perMinute = (name: string, tokens: number): NamedLimit => ({
  name,
  take: rateLimit({ tokens, periodMillis: 60_000 })
})

export const perHour = (name: string, tokens: number): NamedLimit => ({
  name,
  take: rateLimit({ tokens, periodMillis: 3_600_000 })
})

/** Drops full buckets; if that frees too little, the oldest tenth. */
const forget = (fullAt: Map<string, number>, time: number): void => {
  const before = fullAt.size
  for (const [key, at] of fullAt) if (at <= time) fullAt.delete(key)
  let surplus = Math.ceil(before / 10) - (before - fullAt.size)
  for (const key of fullAt.keys()) {
    if (surplus-- <= 0) break
    fullAt.delete(key)
  }
}
