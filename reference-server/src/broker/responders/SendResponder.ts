/**
 * Stores what users send (spec KEZ-NAT-019 to 025): a request on `kez.send.<recipient>` becomes a JetStream publish on
 * `kez.inbox.<recipient>`, or on `kez.self.<own>` for an account's own copy.
 *
 * Requests arrive on one connection (intake) and wait in a fair queue; a second connection (store) publishes them, so many at
 * a time that the stream is busy and no more, since what is published has left the queue and is served in order. So one
 * account's flood costs the others a turn, and acknowledgements never wait behind it.
 *
 * Nothing a client wrote but the frame reaches the stream: its headers are dropped and one of ours is set. Who sends is
 * what the broker says (`Nats-Request-Info`). No fiber and no promise is made per message.
 */
import { headers, type Msg, type NatsConnection } from "@nats-io/nats-core"
import { BrokerAnswer, Bytes, KezId, Limits, Subject } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createHmac } from "node:crypto"
import { callbackLog } from "../../process/CallbackLog.ts"
import { every } from "../../process/Every.ts"
import { subscribe } from "../connections/Subscription.ts"
import * as BlockedSends from "./BlockedSends.ts"
import * as FairQueue from "../limits/FairQueue.ts"
import type { FloodGuard } from "../limits/FloodGuard.ts"
import * as InboxStream from "../stream/InboxStream.ts"
import { isObject } from "../JsonObject.ts"
import type { Charge, Quotas } from "../limits/Quotas.ts"
import * as RequestHeaders from "./RequestHeaders.ts"

export interface SendResponderOptions {
  /** Whether the stream has been found to be what it was. Until then nothing is stored: it would hide that it is not. */
  readonly isReady: () => boolean
  readonly isActive: (hex: string) => boolean
  readonly quotas: Quotas
  /** Whether a recipient blocks a sender. */
  isBlocked(recipient: string, sender: string): boolean
  /** Whether the stream has room for a frame of so many bytes, as far as is known. */
  hasRoom(bytes: number): boolean
  readonly guard: FloodGuard
  /** Keys the ids that the stream deduplicates by; the same for all instances. */
  readonly deduplicationKey: Uint8Array
  /** Hears the sequence number of everything that was stored. */
  noteLast(seq: number, millis: number): void
  /** Sends that may wait: of one account, and their bytes; bytes of all. */
  readonly waiting: FairQueue.FairQueueLimits
  /** Publishes under way at once, and their bytes. */
  readonly maxInFlight: number
  readonly maxBytesInFlight: number
}

export interface SendResponder {
  /** Takes requests from a connection logged in as GATEWAY, and answers there. */
  readonly listen: (connection: NatsConnection) => Effect.Effect<void>
  /**
   * Stores over this connection, logged in as GATEWAY, until the scope closes; what is under way then is answered
   * `retry`.
   */
  readonly attach: (connection: NatsConnection) => Effect.Effect<void, never, Scope.Scope>
  readonly counters: Record<"stored" | "repeated" | "blocked" | BrokerAnswer.RefusalCode, number>
  /** Sends that wait or are being stored. */
  readonly inFlight: () => number
}

/** Holds no `Msg`: that would keep the socket's whole buffer in memory for as long as it waits. */
interface Send {
  readonly intake: NatsConnection
  readonly reply: string
  readonly sender: string
  readonly recipient: string
  readonly kezId: string
  readonly frame: Uint8Array
  /** Of the whole request, its headers included. */
  readonly bytes: number
  readonly since: number
}

interface Pending {
  readonly send: Send
  readonly charge: Charge
  readonly since: number
}

/** The broker lets us answer within 10 s: so long may a send wait for its turn, and so long for the stream. */
const waitTimeoutMillis = 4_000
const storeTimeoutMillis = 5_000
const sweepMillis = 500
/** Longest stretch of work without letting other work in. */
const sliceMillis = 5

export const make = Effect.fnUntraced(function* (options: SendResponderOptions): Effect.fn.Return<SendResponder> {
  const { guard, quotas } = options
  const log = yield* callbackLog
  const counters = { stored: 0, repeated: 0, blocked: 0, full: 0, slow: 0, unknown: 0, bad: 0, size: 0, retry: 0 }
  const queue = FairQueue.make<Send>(options.waiting)
  const pending = new Map<string, Pending>()
  const blockedSends = BlockedSends.make()
  let bytesInFlight = 0
  let store: { readonly connection: NatsConnection; readonly acks: string } | undefined
  let next = 0
  let isPumping = false

  const answer = ({ intake, reply }: Pick<Send, "intake" | "reply">, bytes: Uint8Array): void => {
    if (!intake.isClosed()) intake.publish(reply, bytes)
  }
  /** The server's own trouble; counts against nobody. */
  const putOff = (send: Send): void => {
    counters.retry += 1
    answer(send, BrokerAnswer.encodeRefusal({ code: "retry" }))
  }
  const refuse = (send: Pick<Send, "intake" | "reply" | "sender" | "bytes">, refusal: BrokerAnswer.Refusal): void => {
    counters[refusal.code] += 1
    guard.refused(send.sender, send.bytes)
    answer(send, BrokerAnswer.encodeRefusal(refusal))
  }

  const receive = (intake: NatsConnection, message: Msg): void => {
    const head = RequestHeaders.read(message)
    // Cannot be: the import shares who asks.
    if (head === undefined) return
    const { sender } = head
    const { data, reply = "" } = message
    const bytes = RequestHeaders.sizeOf(message)
    // A send that wants no answer is none, and who floods gets none: its connections are being closed.
    if (reply === "" || guard.isShutOut(sender)) return guard.refused(sender, bytes)
    const asker = { intake, reply, sender, bytes }
    const recipient = message.subject.slice(Subject.send("").length)
    const ids = head.values(KezId.header) ?? []
    const kezId = ids.length === 1 ? (ids[0] as string) : ""
    if (!Bytes.isHex(recipient, Limits.keyBytes) || !KezId.isKezId(kezId)) return refuse(asker, { code: "bad" })
    if (data.length < 1 || data.length > Limits.frameBytes) return refuse(asker, { code: "size" })
    const send = {
      intake,
      reply,
      sender,
      recipient,
      kezId,
      frame: Uint8Array.from(data),
      bytes,
      since: performance.now()
    }
    if (store === undefined || !options.isReady()) return putOff(send)
    const offered = queue.offer(sender, send, data.length)
    if (offered === "account") return refuse(asker, { code: "retry" })
    if (offered === "full") return putOff(send)
    schedule()
  }

  const schedule = (): void => {
    if (isPumping) return
    isPumping = true
    // After what has arrived is read, so that a send's turn does not depend on its place in the socket.
    setImmediate(pump)
  }

  const pump = (): void => {
    isPumping = false
    const began = performance.now()
    while (pending.size < options.maxInFlight && bytesInFlight < options.maxBytesInFlight) {
      if (store === undefined) return
      if (performance.now() - began > sliceMillis) return schedule()
      const send = queue.take()
      if (send === undefined) return
      try {
        if (began - send.since > waitTimeoutMillis) putOff(send)
        else forward(store, send)
      } catch (error) {
        log("warn", "send not stored", { reason: (error as Error).message })
        putOff(send)
      }
    }
  }

  const forward = ({ connection, acks }: NonNullable<typeof store>, send: Send): void => {
    const { frame, recipient, sender } = send
    // Revoked, and its connection not closed yet.
    if (!options.isActive(sender)) return refuse(send, { code: "bad" })
    if (sender !== recipient && !options.isActive(recipient)) return refuse(send, { code: "unknown" })
    if (!options.isReady()) return putOff(send)
    const isBlocked = sender !== recipient && options.isBlocked(recipient, sender)
    const charge = quotas.charge(sender, recipient, frame.length, isBlocked)
    if ("code" in charge) return refuse(send, charge)
    // A blocked sender learns nothing from a stream that holds all it may, either.
    if (isBlocked && !options.hasRoom(frame.length)) {
      quotas.refund(charge)
      return refuse(send, { code: "full" })
    }
    const token = `${acks}${(next++).toString(36)}`
    pending.set(token, { send, charge, since: performance.now() })
    bytesInFlight += frame.length
    if (isBlocked) return vanish(token, send)
    const header = headers()
    header.set("Nats-Msg-Id", deduplicationId(options.deduplicationKey, send))
    const subject = sender === recipient ? Subject.self(sender) : Subject.inbox(recipient)
    connection.publish(subject, frame, { reply: token, headers: header })
  }

  /** Answers as if the frame of a blocked sender had been stored. */
  const vanish = (token: string, send: Send): void => {
    counters.blocked += 1
    const isRepeated = blockedSends.isRepeated(deduplicationId(options.deduplicationKey, send))
    setTimeout(() => {
      const entry = pending.get(token)
      if (entry === undefined) return
      settle(token, entry)
      if (isRepeated) {
        quotas.refund(entry.charge)
        guard.refused(send.sender, send.bytes)
      }
      answer(send, BrokerAnswer.ok)
    }, blockedSends.delay())
  }

  const settle = (token: string, entry: Pending): void => {
    pending.delete(token)
    bytesInFlight -= entry.send.frame.length
    schedule()
  }

  const acknowledged = (message: Msg): void => {
    const entry = pending.get(message.subject)
    if (entry === undefined) return
    settle(message.subject, entry)
    const { charge, send } = entry
    const ack = parseAck(message)
    if (typeof ack === "string") {
      quotas.refund(charge)
      return ack === "retry" ? putOff(send) : refuse(send, { code: ack })
    }
    options.noteLast(ack.seq, performance.now() - entry.send.since)
    blockedSends.noteStore(performance.now() - entry.since)
    if (ack.repeated) {
      quotas.refund(charge)
      counters.repeated += 1
      guard.refused(send.sender, send.bytes)
    } else {
      counters.stored += 1
    }
    answer(send, BrokerAnswer.ok)
  }

  /** The charge stays when it is not known whether the frame was stored. */
  const giveUp = (before: number): void => {
    for (const [token, entry] of pending) {
      if (entry.since > before) break
      settle(token, entry)
      putOff(entry.send)
    }
  }

  return {
    listen: (connection) =>
      Effect.sync(() =>
        subscribe(connection, { subject: Subject.send("*"), queue: "kez-send" }, log, (message) =>
          receive(connection, message)
        )
      ),
    attach: Effect.fnUntraced(function* (connection) {
      // A new subject for every connection: late acknowledgements of an old one mean nothing.
      const acks = `${ackPrefix}${crypto.randomUUID().replaceAll("-", "")}.`
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          subscribe(connection, { subject: `${acks}*` }, log, acknowledged)
          store = { connection, acks }
        }),
        () =>
          Effect.sync(() => {
            store = undefined
            giveUp(Number.POSITIVE_INFINITY)
            for (const send of queue.clear()) putOff(send)
          })
      )
      const giveUpOld = Effect.sync(() => giveUp(performance.now() - storeTimeoutMillis))
      yield* every(sweepMillis, "sends that wait for the stream not given up", giveUpOld)
    }),
    counters,
    inFlight: () => pending.size + queue.size()
  }
})

const ackPrefix = "_INBOX_ing.s."

/**
 * What the stream deduplicates by. It does so for all subjects at once, and the id is stored and delivered with the frame:
 * so it belongs to this sender, recipient and Kez-Id alone, and tells nobody who the sender is (spec KEZ-NAT-022, 048).
 */
const deduplicationId = (key: Uint8Array, { kezId, recipient, sender }: Send): string =>
  createHmac("sha256", key)
    .update(sender + recipient + kezId)
    .digest("base64url")
    .slice(0, 22)

const parseAck = (message: Msg): "full" | "retry" | { readonly seq: number; readonly repeated: boolean } => {
  // 503: no JetStream listens.
  if (message.headers?.code !== undefined && message.headers.code >= 400) return "retry"
  const ack: unknown = message.json()
  if (!isObject(ack)) return "retry"
  if (isObject(ack.error)) return InboxStream.holdsAllItMay.has(ack.error.err_code) ? "full" : "retry"
  return typeof ack.seq === "number" ? { seq: ack.seq, repeated: ack.duplicate === true } : "retry"
}
