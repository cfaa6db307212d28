/**
 * Reads pages of an inbox for its owner (spec KEZ-NAT-030 to 034): a request on `kez.fetch.<own>` becomes a batch of
 * direct gets and one binary answer.
 *
 * The account comes from the subject alone, on which the broker lets only that user publish. Requests arrive on one
 * connection (intake) and wait in a fair queue; the stream is read over another (store), few enough pages at a time to
 * fit into the broker's buffer for it. The read rate of an account is limited too, since an answer can be a thousand
 * times the size of its request.
 *
 * Messages are handled in plain callbacks: this path is measured (bench/broker.bench.ts). A fiber is used only where
 * the stream's leader has to be asked. Connections and timeouts are scoped.
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core"
import { BrokerAnswer, Limits, Page, Subject } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Result from "effect/Result"
import type { ActiveCheck } from "../ActiveCheck.ts"
import { callbackLog } from "../../process/CallbackLog.ts"
import { every } from "../../process/Every.ts"
import { subscribe } from "../connections/Subscription.ts"
import * as FairQueue from "../limits/FairQueue.ts"
import type { FloodGuard } from "../limits/FloodGuard.ts"
import { isObject } from "../JsonObject.ts"
import * as InboxStream from "../stream/InboxStream.ts"
import * as Partitions from "../stream/Partitions.ts"
import type { StreamWatch } from "../stream/StreamWatch.ts"
import * as RequestHeaders from "./RequestHeaders.ts"

export interface FetchResponderOptions {
  readonly checkActive: ActiveCheck
  /** Whether a key handed its handle over: after its last page it is told so. */
  readonly isMoved: (hex: string) => boolean
  /** The streams that inboxes are spread over. */
  readonly streams: ReadonlyArray<StreamWatch>
  /**
   * Whether a stream has more than one replica. Any of them answers a direct get, even one that lags behind; so the
   * leader is asked whether an apparently last page is the last.
   */
  readonly replicated: boolean
  readonly guard: FloodGuard
  /** Requests that may wait. */
  readonly waiting: FairQueue.FairQueueLimits
  /** Pages read concurrently, for all accounts and for one. */
  readonly maxInFlight: number
  readonly maxInFlightPerAccount: number
  /** Burst and rate of bytes that an account may read. */
  readonly readBurstBytes: number
  readonly readBytesPerSecond: number
}

export type FetchResponder = Effect.Success<ReturnType<typeof make>>

interface Fetch {
  readonly intake: NatsConnection
  readonly reply: string
  readonly hex: string
  readonly partition: number
  readonly request: Page.Request
  /** Of the whole request. */
  readonly bytes: number
  readonly since: number
}

interface Store {
  readonly connection: NatsConnection
  readonly answers: string
}

interface Reading {
  readonly fetch: Fetch
  readonly epoch: string
  readonly known: number
  readonly frames: Array<Page.Frame>
  readonly since: number
  /** The end of the page so far: the client's cursor, then the number of the last frame. */
  end: number
  /** The question under way: for frames, or to the leader for the last one. */
  asking: "frames" | "last"
}

/** Longest wait for a turn and for the stream. The broker lets us answer within 10 s. */
const waitTimeoutMillis = 4_000
const readTimeoutMillis = 5_000
/** Pause before a lagging replica is asked again, in milliseconds. */
const lagMillis = 20
const sweepMillis = 500

export const make = Effect.fnUntraced(function* (options: FetchResponderOptions) {
  const { guard, streams } = options
  const log = yield* callbackLog
  const fork = yield* FiberSet.makeRuntime()
  const counters = { pages: 0, frames: 0, bad: 0, slow: 0, retry: 0, moved: 0 }
  const queue = FairQueue.make<Fetch>(options.waiting)
  const readings = new Map<string, Reading>()
  const perAccount = new Map<string, number>()
  const budgets = makeBudgets(options.readBurstBytes, options.readBytesPerSecond)
  /** The connections that pages are read over, and the first part of the subjects that their answers come on. */
  const stores: Array<Store | undefined> = []
  let active = 0
  let next = 0
  let isPumping = false

  const answer = ({ intake, reply }: Pick<Fetch, "intake" | "reply">, bytes: Uint8Array): void => {
    if (!intake.isClosed()) intake.publish(reply, bytes)
  }
  /** For trouble on the server's side, which counts against nobody. */
  const putOff = (fetch: Fetch): void => {
    counters.retry += 1
    answer(fetch, BrokerAnswer.encodeRefusal({ code: "retry" }))
  }
  const refuse = (fetch: Pick<Fetch, "intake" | "reply" | "hex" | "bytes">, code: "bad" | "slow"): void => {
    counters[code] += 1
    guard.refused(fetch.hex, fetch.bytes)
    answer(fetch, BrokerAnswer.encodeRefusal({ code }))
  }
  const enter = (hex: string): void => {
    active += 1
    perAccount.set(hex, (perAccount.get(hex) ?? 0) + 1)
  }
  const leave = (hex: string): void => {
    active -= 1
    const left = (perAccount.get(hex) ?? 1) - 1
    if (left === 0) perAccount.delete(hex)
    else perAccount.set(hex, left)
    pump()
  }

  const receive = (intake: NatsConnection, message: Msg): void => {
    const hex = message.subject.slice(Subject.fetch("").length)
    const { data, reply = "" } = message
    const bytes = RequestHeaders.sizeOf(message)
    // A flooding account gets no answer: its connections are being closed.
    if (reply === "" || guard.isShutOut(hex)) return guard.refused(hex, bytes)
    const request = Result.getOrUndefined(Page.parseRequest(data))
    if (request === undefined) return refuse({ intake, reply, hex, bytes }, "bad")
    const partition = Partitions.partitionOf(hex, streams.length)
    const fetch = { intake, reply, hex, partition, request, bytes, since: performance.now() }
    const payloadBytes = data.length
    options.checkActive(hex, (isActive) => {
      if (isActive === undefined) return putOff(fetch)
      // The broker lets only this key publish here; if it is not active, its connection is about to be closed.
      if (!isActive) return refuse(fetch, "bad")
      enqueue(fetch, payloadBytes)
    })
  }

  const enqueue = (fetch: Fetch, payloadBytes: number): void => {
    const { hex } = fetch
    if (!budgets.has(hex)) return refuse(fetch, "slow")
    if (stores[fetch.partition] === undefined) return putOff(fetch)
    const offered = queue.offer(hex, fetch, payloadBytes)
    if (offered === "account") return refuse(fetch, "slow")
    if (offered === "full") return putOff(fetch)
    pump()
  }

  const streamOf = ({ partition }: Fetch): StreamWatch => streams[partition] as StreamWatch
  const mayRead = (hex: string): boolean => (perAccount.get(hex) ?? 0) < options.maxInFlightPerAccount

  const pump = (): void => {
    // A page that ends within this loop calls again.
    if (isPumping) return
    isPumping = true
    try {
      while (active < options.maxInFlight) {
        const fetch = queue.take(mayRead)
        if (fetch === undefined) return
        const to = stores[fetch.partition]
        if (to === undefined || performance.now() - fetch.since > waitTimeoutMillis) {
          putOff(fetch)
        } else {
          enter(fetch.hex)
          read(to, fetch)
        }
      }
    } finally {
      isPumping = false
    }
  }

  /** Without a fiber where this process knows enough of the stream, as it mostly does. */
  const read = (to: Store, fetch: Fetch): void => {
    const { after } = fetch.request
    const stream = streamOf(fetch)
    const known = stream.known(after)
    if (known !== undefined) return begin(to, fetch, known)
    fork(
      Effect.match(stream.current(after), {
        onSuccess: (state) => begin(to, fetch, state),
        onFailure: () => giveBack(fetch)
      })
    )
  }

  const begin = (to: Store, fetch: Fetch, { epoch, lastSeq }: InboxStream.StreamState): void => {
    // The store connection was lost meanwhile.
    if (stores[fetch.partition] !== to) return giveBack(fetch)
    const { request } = fetch
    const after = request.epoch !== undefined && request.epoch !== epoch ? 0 : request.after
    const token = `${to.answers}${(next++).toString(36)}`
    const end = Math.min(after, lastSeq)
    const since = performance.now()
    const reading: Reading = { fetch, epoch, known: lastSeq, frames: [], since, end, asking: "frames" }
    readings.set(token, reading)
    try {
      askFrames(to.connection, token, reading)
    } catch {
      fail(token, reading)
    }
  }

  const giveBack = (fetch: Fetch): void => {
    leave(fetch.hex)
    putOff(fetch)
  }

  const finish = (token: string, reading: Reading, pending: number): void => {
    const { fetch, frames } = reading
    const { hex, request } = fetch
    readings.delete(token)
    const end = frames.at(-1)?.seq ?? 0
    streamOf(fetch).noteLast(end)
    if (frames.length === 0 && options.isMoved(hex)) {
      counters.moved += 1
      answer(fetch, BrokerAnswer.encodeRefusal({ code: "moved" }))
      return leave(hex)
    }
    const page: Page.Page = { epoch: reading.epoch, last: Math.max(reading.known, end), pending, frames }
    const bytes = Page.encode(page, { ed25519: Buffer.from(hex, "hex"), nonce: request.nonce })
    counters.pages += 1
    counters.frames += frames.length
    budgets.take(hex, bytes.length)
    answer(fetch, bytes)
    leave(hex)
  }

  const answered = (connection: NatsConnection, word: Msg): void => {
    const token = word.subject
    const reading = readings.get(token)
    if (reading === undefined) return
    const status = word.headers?.code ?? 0
    if (status !== 0 && status !== 204 && status !== 404) return fail(token, reading)
    if (reading.asking === "last") return receivedLast(connection, token, reading, word)
    if (status === 0) {
      const seq = Number(word.headers?.get("Nats-Sequence"))
      const timeMillis = Date.parse(word.headers?.get("Nats-Time-Stamp") ?? "")
      reading.frames.push({ seq, timeMillis, frame: word.data })
      reading.end = seq
      return
    }
    const pending = Number(word.headers?.get("Nats-Num-Pending") ?? 0) || 0
    if (pending > 0 || !options.replicated) return finish(token, reading, pending)
    reading.asking = "last"
    const query = JSON.stringify({ last_by_subj: `kez.*.${reading.fetch.hex}` })
    connection.publish(`$JS.API.STREAM.MSG.GET.${Subject.streamName}`, query, { reply: token })
  }

  /** The leader's answer: its last frame for this account, or that there is none. */
  const receivedLast = (connection: NatsConnection, token: string, reading: Reading, word: Msg): void => {
    const found: unknown = word.json()
    if (!isObject(found)) return fail(token, reading)
    const none = isObject(found.error) && found.error.err_code === InboxStream.noMessage
    const last = isObject(found.message) ? found.message.seq : none ? 0 : undefined
    if (typeof last !== "number") return fail(token, reading)
    if (last <= reading.end) return finish(token, reading, 0)
    // The replica lags behind. The page is sent as it is; the client asks for the rest.
    if (reading.frames.length > 0) return finish(token, reading, 1)
    reading.asking = "frames"
    setTimeout(() => {
      if (readings.get(token) === reading && !connection.isClosed()) askFrames(connection, token, reading)
    }, lagMillis)
  }

  const fail = (token: string, reading: Reading): void => {
    readings.delete(token)
    giveBack(reading.fetch)
  }

  const sweep = (): void => {
    const before = performance.now() - readTimeoutMillis
    for (const [token, reading] of readings) {
      if (reading.since > before) break
      fail(token, reading)
    }
    budgets.prune()
  }
  yield* every(sweepMillis, "overdue fetches not answered", Effect.sync(sweep))

  return {
    /** Takes requests from a connection logged in as GATEWAY, and answers there. */
    listen: (connection: NatsConnection) =>
      Effect.sync(() =>
        subscribe(connection, { subject: Subject.fetch("*"), queue: "kez-fetch" }, log, (message) =>
          receive(connection, message)
        )
      ),
    /**
     * Reads one of the streams over this connection, logged in as its GATEWAY, until the scope closes; fetches from that
     * stream that are under way then are answered `retry`.
     */
    attach: Effect.fnUntraced(function* (partition: number, connection: NatsConnection) {
      const answers = `${answerPrefix}${crypto.randomUUID().replaceAll("-", "")}.`
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          subscribe(connection, { subject: `${answers}*` }, log, (word) => answered(connection, word))
          stores[partition] = { connection, answers }
        }),
        () =>
          Effect.sync(() => {
            stores[partition] = undefined
            for (const [token, reading] of readings) if (reading.fetch.partition === partition) fail(token, reading)
            for (const fetch of queue.clear()) putOff(fetch)
          })
      )
    }),
    counters
  }
})

const askFrames = (connection: NatsConnection, token: string, { end, fetch }: Reading): void => {
  const query = {
    seq: end + 1,
    next_by_subj: `kez.*.${fetch.hex}`,
    batch: Limits.pageFrames,
    max_bytes: Limits.pageBytes
  }
  connection.publish(`$JS.API.DIRECT.GET.${Subject.streamName}`, JSON.stringify(query), { reply: token })
}

const answerPrefix = "_INBOX_ing.f."

/** Token buckets of bytes; an account may overdraw by one page and then waits. */
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
