/**
 * Reads pages of an inbox for its owner (spec KEZ-NAT-030 to 034): a request on `kez.fetch.<own>` becomes a batch of direct gets and
 * one binary answer.
 *
 * Whose inbox it is comes from the subject alone, which the broker lets only that user publish on. Work per user and in
 * all is bounded, and so is what one user may read in a while, since an answer can be a thousand times its request.
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core"
import { Limits, Page, Subject } from "@kez-chat/sdk/protocol"
import * as Result from "effect/Result"
import { guarded } from "./Guarded.ts"
import { streamName } from "./InboxStream.ts"
import { isObject } from "./Jwt.ts"

export interface FetchResponderOptions {
  readonly isActive: (hex: string) => boolean
  /** The stream's epoch and a last sequence number that is at least `atLeast` if the stream has it. */
  streamState(atLeast: number): Promise<{ readonly epoch: string; readonly lastSeq: number }>
  noteLast(seq: number): void
  /**
   * Whether the stream has more than one replica. Any of them answers a direct get, also one that is a moment behind;
   * then the leader is asked whether a page that seems to be the last one really is.
   */
  readonly replicated: boolean
  /** Pages being read at once, over all users and for one of them. */
  readonly maxInFlight: number
  readonly maxInFlightPerUser: number
  /** Bytes a user may read at once, and how many come back each second. */
  readonly readBurstBytes: number
  readonly readBytesPerSecond: number
  log(level: "warn", message: string, fields: Readonly<Record<string, unknown>>): void
}

export type Refusal = "bad" | "slow" | "retry"

export interface FetchResponder {
  /** Starts answering on a connection logged in as GATEWAY. */
  attach(connection: NatsConnection): void
  detach(): void
  readonly counters: Record<"pages" | "frames" | Refusal, number>
}

interface Reading {
  readonly message: Msg
  readonly hex: string
  readonly request: Page.Request
  readonly epoch: string
  readonly known: number
  readonly frames: Array<Page.Frame>
  readonly since: number
  /** Where the page ends so far: the client's cursor, then the last frame's number. */
  end: number
  /** What is asked for now: frames, or the leader's word on which one is the last. */
  asking: "frames" | "last"
}

/** The broker lets us answer within 10 s. */
const readTimeoutMillis = 5_000
/** How long to leave a replica that is behind before asking again, in milliseconds. */
const lagMillis = 20
const sweepMillis = 500
const refusals = {
  bad: Buffer.from('{"e":"bad"}'),
  slow: Buffer.from('{"e":"slow"}'),
  retry: Buffer.from('{"e":"retry"}')
} as const satisfies Record<Refusal, Buffer>

export const make = (options: FetchResponderOptions): FetchResponder => {
  const counters = { pages: 0, frames: 0, bad: 0, slow: 0, retry: 0 }
  const readings = new Map<string, Reading>()
  const perUser = new Map<string, number>()
  const budgets = makeBudgets(options.readBurstBytes, options.readBytesPerSecond)
  let active = 0
  let next = 0
  let sweeper: NodeJS.Timeout | undefined

  const refuse = (message: Msg, code: Refusal): void => {
    counters[code] += 1
    message.respond(refusals[code])
  }
  const enter = (hex: string): void => {
    active += 1
    perUser.set(hex, (perUser.get(hex) ?? 0) + 1)
  }
  const leave = (hex: string): void => {
    active -= 1
    const left = (perUser.get(hex) ?? 1) - 1
    if (left === 0) perUser.delete(hex)
    else perUser.set(hex, left)
  }

  const receive = (connection: NatsConnection, answers: string, message: Msg): void => {
    if (message.reply === "") return
    const hex = message.subject.slice(Subject.fetch("").length)
    const request = Result.getOrUndefined(Page.parseRequest(message.data))
    // The broker let this key publish here; if it is not active, it was revoked and is about to be closed.
    if (!keyForm.test(hex) || request === undefined || !options.isActive(hex)) return refuse(message, "bad")
    if (!budgets.has(hex)) return refuse(message, "slow")
    if ((perUser.get(hex) ?? 0) >= options.maxInFlightPerUser) return refuse(message, "slow")
    if (active >= options.maxInFlight) return refuse(message, "retry")
    enter(hex)
    void read(connection, answers, message, hex, request)
  }

  const read = async (
    connection: NatsConnection,
    answers: string,
    message: Msg,
    hex: string,
    request: Page.Request
  ): Promise<void> => {
    let token = ""
    try {
      const { epoch, lastSeq } = await options.streamState(request.after)
      const after = request.epoch !== undefined && request.epoch !== epoch ? 0 : request.after
      token = `${answers}${(next++).toString(36)}`
      const end = Math.min(after, lastSeq)
      const since = performance.now()
      const reading: Reading = {
        message,
        hex,
        request,
        epoch,
        known: lastSeq,
        frames: [],
        since,
        end,
        asking: "frames"
      }
      readings.set(token, reading)
      askFrames(connection, token, reading)
    } catch {
      readings.delete(token)
      leave(hex)
      try {
        refuse(message, "retry")
      } catch {
        // The connection is closing.
      }
    }
  }

  const finish = (token: string, reading: Reading, pending: number): void => {
    readings.delete(token)
    leave(reading.hex)
    const { request, frames, hex } = reading
    const end = frames.at(-1)?.seq ?? 0
    options.noteLast(end)
    const page: Page.Page = { epoch: reading.epoch, last: Math.max(reading.known, end), pending, frames }
    const bytes = Page.encode(page, { ed25519: Buffer.from(hex, "hex"), nonce: request.nonce })
    counters.pages += 1
    counters.frames += frames.length
    budgets.take(hex, bytes.length)
    reading.message.respond(bytes)
  }

  const answered = (connection: NatsConnection, answer: Msg): void => {
    const token = answer.subject
    const reading = readings.get(token)
    if (reading === undefined) return
    const status = answer.headers?.code ?? 0
    if (status !== 0 && status !== 204 && status !== 404) return fail(token, reading)
    if (reading.asking === "last") return heardLast(connection, token, reading, answer)
    if (status === 0) {
      const seq = Number(answer.headers?.get("Nats-Sequence"))
      const timeMillis = Date.parse(answer.headers?.get("Nats-Time-Stamp") ?? "")
      reading.frames.push({ seq, timeMillis, frame: answer.data })
      reading.end = seq
      return
    }
    const pending = Number(answer.headers?.get("Nats-Num-Pending") ?? 0) || 0
    if (pending > 0 || !options.replicated) return finish(token, reading, pending)
    reading.asking = "last"
    const query = JSON.stringify({ last_by_subj: `kez.*.${reading.hex}` })
    connection.publish(`$JS.API.STREAM.MSG.GET.${streamName}`, query, { reply: token })
  }

  /** The leader's word: its last frame for this account, or that there is none. */
  const heardLast = (connection: NatsConnection, token: string, reading: Reading, answer: Msg): void => {
    const word: unknown = answer.json()
    if (!isObject(word)) return fail(token, reading)
    const none = isObject(word.error) && word.error.err_code === noMessage
    const last = isObject(word.message) ? word.message.seq : none ? 0 : undefined
    if (typeof last !== "number") return fail(token, reading)
    if (last <= reading.end) return finish(token, reading, 0)
    // A replica was behind. What is on the page stays; the client asks again for what is missing.
    if (reading.frames.length > 0) return finish(token, reading, 1)
    reading.asking = "frames"
    setTimeout(() => {
      if (readings.get(token) === reading && !connection.isClosed()) askFrames(connection, token, reading)
    }, lagMillis)
  }

  const fail = (token: string, reading: Reading): void => {
    readings.delete(token)
    leave(reading.hex)
    refuse(reading.message, "retry")
  }

  const sweep = (): void => {
    const before = performance.now() - readTimeoutMillis
    for (const [token, reading] of readings) {
      if (reading.since > before) break
      fail(token, reading)
    }
    budgets.prune()
  }

  return {
    attach: (connection) => {
      const answers = `${answerPrefix}${crypto.randomUUID().replaceAll("-", "")}.`
      connection.subscribe(`${answers}*`, { callback: guarded(options.log, (answer) => answered(connection, answer)) })
      connection.subscribe(Subject.fetch("*"), {
        queue: "kez-fetch",
        callback: guarded(
          options.log,
          (message) => receive(connection, answers, message),
          (message) => {
            if (message.reply !== "") refuse(message, "retry")
          }
        )
      })
      clearInterval(sweeper)
      sweeper = setInterval(() => {
        try {
          sweep()
        } catch {
          // The connection is closing; detach follows.
        }
      }, sweepMillis)
    },
    detach: () => {
      clearInterval(sweeper)
      for (const reading of readings.values()) leave(reading.hex)
      readings.clear()
    },
    counters
  }
}

const askFrames = (connection: NatsConnection, token: string, { hex, end }: Reading): void => {
  const query = {
    seq: end + 1,
    next_by_subj: `kez.*.${hex}`,
    batch: Limits.pageFrames,
    max_bytes: Limits.pageBytes
  }
  connection.publish(`$JS.API.DIRECT.GET.${streamName}`, JSON.stringify(query), { reply: token })
}

const answerPrefix = "_INBOX_ing.f."
/** JetStream's err_code for "no message found". */
const noMessage = 10037
const keyForm = /^[0-9a-f]{64}$/

/** Token buckets of bytes; a user may overdraw by one page and then waits. */
const makeBudgets = (burst: number, perSecond: number) => {
  const buckets = new Map<string, { left: number; at: number }>()
  const current = (hex: string): { left: number; at: number } => {
    const now = performance.now()
    const bucket = buckets.get(hex) ?? { left: burst, at: now }
    const left = Math.min(burst, bucket.left + ((now - bucket.at) / 1000) * perSecond)
    return { left, at: now }
  }
  return {
    has: (hex: string): boolean => current(hex).left > 0,
    take: (hex: string, bytes: number): void => {
      const { left, at } = current(hex)
      buckets.set(hex, { left: left - bytes, at })
    },
    prune: (): void => {
      if (buckets.size < 1000) return
      for (const hex of buckets.keys()) if (current(hex).left >= burst) buckets.delete(hex)
    }
  }
}
