/**
 * Structured logs: one JSON object a line on standard output, `{"time", "level", "msg", ...}`.
 *
 * Request lines are buffered for a few milliseconds, since a write for each would cost more than answering a lookup;
 * everything else goes out at once. Nothing secret is ever handed to this module, and no handle or full client address.
 */
import * as Cause from "effect/Cause"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { writeSync } from "node:fs"

type Fields = Readonly<Record<string, unknown>>

const flushAfterMillis = 25
const flushAtCharacters = 32_768

let pending = ""
let timer: NodeJS.Timeout | undefined

/** Writes what is buffered, synchronously: safe in an exit handler. */
export const flush = (): void => {
  if (timer !== undefined) clearTimeout(timer)
  timer = undefined
  const text = pending
  pending = ""
  // Behind what an earlier flush had to leave to the stream, or lines would mix.
  if (process.stdout.writableLength > 0) {
    process.stdout.write(text)
    return
  }
  let bytes = Buffer.from(text)
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes))
    } catch (cause) {
      // A pipe whose reader is slow: what does not fit now goes through the stream, which waits for it.
      if ((cause as NodeJS.ErrnoException).code === "EAGAIN") process.stdout.write(bytes)
      return
    }
  }
}

process.once("exit", flush)

let stampMillis = 0
let stampText = ""

/** The time as RFC 3339 text, made anew only when the millisecond changes. */
const stamp = (): string => {
  const now = Date.now()
  if (now !== stampMillis) {
    stampMillis = now
    stampText = new Date(now).toISOString()
  }
  return stampText
}

/** Bytes that may wait for a reader who has stopped; beyond them request lines are left out and counted. */
const mostBehind = 8 * 1024 ** 2
let leftOut = 0

/** Adds one line to the buffer; `members` is the JSON text of its own members, without braces. */
export const bufferLine = (msg: string, members: string): void => {
  if (process.stdout.writableLength > mostBehind) {
    leftOut++
    return
  }
  if (leftOut > 0) {
    pending += `{"time":"${stamp()}","level":"warn","msg":"log lines left out","lines":${leftOut}}\n`
    leftOut = 0
  }
  pending += `{"time":"${stamp()}","level":"info","msg":"${msg}",${members}}\n`
  if (pending.length >= flushAtCharacters) flush()
  else timer ??= setTimeout(flush, flushAfterMillis).unref()
}

const json = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner))

const line = (level: string, msg: string, fields: Fields): void => {
  pending += `${json({ time: stamp(), level, msg, ...fields })}\n`
  flush()
}

const logger = Logger.make<unknown, void>(({ cause, fiber, logLevel, message }) => {
  const parts = Array.isArray(message) ? message : [message]
  const msg = parts.map((part) => (typeof part === "string" ? part : json(part))).join(" ")
  line(logLevel.toLowerCase(), msg, {
    ...fiber.getRef(References.CurrentLogAnnotations),
    ...(cause.reasons.length === 0 ? {} : { cause: Cause.pretty(cause) })
  })
})

/** Makes `Effect.log*` write these lines; annotations become members. */
export const layer: Layer.Layer<never> = Logger.layer([logger])
