/** RFC 3339 times as KEZ writes them: UTC, whole seconds, `Z`. */
import * as Result from "effect/Result"
import { fail, type Problem } from "../Problem.ts"

const form = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/
const earliest = Date.UTC(2000, 0, 1) - 2000 * 365.2425 * 86_400_000
const latest = Date.UTC(10_000, 0, 1)

/** Formats milliseconds since the epoch in whole seconds. Throws a `RangeError` outside the years 0 to 9999. */
export const fromMillis = (millis: number): string => {
  if (!(millis >= earliest && millis < latest)) throw new RangeError(`no RFC 3339 time: ${millis}`)
  return `${new Date(Math.floor(millis / 1000) * 1000).toISOString().slice(0, 19)}Z`
}

/**
 * Parses a time to milliseconds since the epoch. Fractions, offsets, lower case, nonexistent days and leap seconds are
 * `timestamp_malformed`.
 */
export const parse = (text: string): Result.Result<number, Problem> => {
  const millis = form.test(text) ? Date.parse(text) : Number.NaN
  // The round trip rejects times that Date.parse rolls over (24:00:00, 31 April).
  return Number.isNaN(millis) || fromMillis(millis) !== text
    ? fail("timestamp_malformed", "expected a time like 2026-05-25T00:00:00Z")
    : Result.succeed(millis)
}
