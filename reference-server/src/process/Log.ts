/**
 * Structured logs: one JSON object a line on standard output, `{"time", "level", "msg", ...}`.
 *
 * Strangers must not be able to fill a disk: of each kind of line a limited number is written in ten seconds, and the
 * rest is summed up in one line with `times`, the number of lines it stands for.
 *
 * Request lines are buffered for a few milliseconds, since a write for each would cost more than answering a lookup;
 * everything else goes out at once. Nothing secret is ever handed to this module, and no handle or full client address.
 */
import * as Cause from "effect/Cause"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { writeSync } from "node:fs"

const flushAfterMillis = 25
const flushAtCharacters = 32_768

let pending = ""
let timer: NodeJS.Timeout | undefined

/** Writes the buffer, synchronously: safe in an exit handler. */
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

process.once("exit", () => {
  endWindow()
  flush()
})

let stampMillis = 0
let stampText = ""

/** The time as RFC 3339 text, formatted once per millisecond. */
const stamp = (): string => {
  const now = Date.now()
  if (now !== stampMillis) {
    stampMillis = now
    stampText = new Date(now).toISOString()
  }
  return stampText
}

const windowMillis = 10_000
/** Lines of one kind in a window. A kind is a message and the members that distinguish its causes. */
const linesOfKind = 10
/** Request lines in a window, all kinds together. */
const requestLines = 2_000

let windowTimer: NodeJS.Timeout | undefined
const sent = new Map<string, number>()
const withheld = new Map<string, { readonly head: string; times: number }>()

/** Whether this window still has room for one line of `most`; otherwise the line is counted under `kind`. */
const admit = (budget: string, most: number, kind: string, head: () => string): boolean => {
  windowTimer ??= setTimeout(endWindow, windowMillis).unref()
  const count = (sent.get(budget) ?? 0) + 1
  sent.set(budget, count)
  if (count <= most) return true
  const entry = withheld.get(kind)
  if (entry === undefined) withheld.set(kind, { head: head(), times: 1 })
  else entry.times++
  return false
}

/** Writes what was withheld and opens a new window. */
const endWindow = (): void => {
  if (windowTimer !== undefined) clearTimeout(windowTimer)
  windowTimer = undefined
  for (const { head, times } of withheld.values()) pending += `{"time":"${stamp()}",${head},"times":${times}}\n`
  sent.clear()
  withheld.clear()
  if (pending !== "") flush()
}

/** Bytes buffered for a reader that has stopped reading; beyond them request lines are dropped and counted. */
const mostBehind = 8 * 1024 ** 2
let leftOut = 0

/**
 * Adds the line of a request to the buffer. Both are JSON members without braces: `kind` those that take a bounded
 * number of values, `rest` those of this request alone.
 */
export const requestLine = (kind: string, rest: string): void => {
  const head = `"level":"info","msg":"request",${kind}`
  if (!admit("request", requestLines, head, () => head)) return
  if (process.stdout.writableLength > mostBehind) {
    leftOut++
    return
  }
  if (leftOut > 0) {
    pending += `{"time":"${stamp()}","level":"warn","msg":"log lines left out","lines":${leftOut}}\n`
    leftOut = 0
  }
  pending += `{"time":"${stamp()}",${head},${rest}}\n`
  if (pending.length >= flushAtCharacters) flush()
  else timer ??= setTimeout(flush, flushAfterMillis).unref()
}

const json = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner))

const logger = Logger.make<unknown, void>(({ cause, fiber, logLevel, message }) => {
  const parts = Array.isArray(message) ? message : [message]
  const msg = parts.map((part) => (typeof part === "string" ? part : json(part))).join(" ")
  const level = logLevel.toLowerCase()
  const fields = fiber.getRef(References.CurrentLogAnnotations)
  const kind = Object.fromEntries(causes.filter((name) => name in fields).map((name) => [name, fields[name]]))
  const head = json({ level, msg, ...kind }).slice(1, -1)
  if (!admit(head, linesOfKind, head, () => head)) return
  const why = cause.reasons.length === 0 ? {} : { cause: Cause.pretty(cause) }
  pending += `${json({ time: stamp(), level, msg, ...fields, ...why })}\n`
  flush()
})

/** Members that distinguish causes of one message, each with a handful of values. */
const causes = ["role", "refusal", "sqlite"]

/** Makes `Effect.log*` write these lines; annotations become members. */
export const layer: Layer.Layer<never> = Logger.layer([logger])
