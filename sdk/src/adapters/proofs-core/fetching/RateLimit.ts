/** Rate limits as providers tell them in headers. */
import * as Limits from "../../../protocol/Limits.ts"
import { retryAfter } from "../../http-core/Exchange.ts"

/** Names of the headers with the requests that are left, and with the time at which there are more again. */
const names = [
  // GitHub, Mastodon
  ["x-ratelimit-remaining", "x-ratelimit-reset"],
  // Bluesky
  ["ratelimit-remaining", "ratelimit-reset"]
] as const

/** A smaller number counts seconds from now, a larger one seconds since the epoch. */
const sinceEpoch = 1_000_000_000

const timeOf = (value: string, now: number): number => {
  if (!/^\d{1,12}$/.test(value)) return Date.parse(value)
  const seconds = Number(value)
  return seconds < sinceEpoch ? now + seconds * 1_000 : seconds * 1_000
}

/** A sensible time ahead, at most {@link Limits.proofRetryMillis} of it. */
const ahead = (time: number, now: number): number | undefined =>
  Number.isNaN(time) || time <= now ? undefined : Math.min(Math.ceil(time), now + Limits.proofRetryMillis)

export interface RateLimit {
  /** No request is left. */
  readonly isExhausted: boolean
  /** When to ask again, in milliseconds since the epoch. */
  readonly retryAt?: number
}

/** What the headers of an answer received at `now` say. */
export const ofHeaders = (headers: Headers, now: number): RateLimit => {
  const [remaining, reset] = names.find(([name]) => headers.has(name)) ?? names[0]
  const isExhausted = headers.get(remaining)?.trim() === "0"
  const { retryAfterMillis } = retryAfter(headers)
  const told = retryAfterMillis === undefined ? undefined : ahead(now + retryAfterMillis, now)
  const atReset = isExhausted ? ahead(timeOf(headers.get(reset)?.trim() ?? "", now), now) : undefined
  const retryAt = told ?? atReset
  return { isExhausted, ...(retryAt === undefined ? {} : { retryAt }) }
}
