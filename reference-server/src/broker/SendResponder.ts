/**
 * Stores what users send (spec KEZ-NAT-019 to 025): a request on `kez.send.<recipient>` becomes a JetStream publish on
 * `kez.inbox.<recipient>`, or on `kez.self.<own>` for an account's own copy.
 *
 * Nothing a client wrote but the frame reaches the stream: its headers are dropped and one of ours is set. Who sends is
 * what the broker says (`Nats-Request-Info`). Publishing is pipelined over one reply subject; no fiber and no promise is
 * made per message.
 */
import { headers, type Msg, type NatsConnection } from "@nats-io/nats-core"
import { Limits, Subject } from "@kez-chat/sdk/protocol"
import { guarded } from "./Guarded.ts"
import { isObject } from "./Jwt.ts"
import type { Charge, QuotaRefusal, Quotas } from "./Quotas.ts"

export interface SendResponderOptions {
  /** Whether the stream has been found to be what it was. Until then nothing is stored: it would hide that it is not. */
  readonly isReady: () => boolean
  readonly isActive: (hex: string) => boolean
  readonly quotas: Quotas
  /** Hears the sequence number of everything that was stored. */
  noteLast(seq: number): void
  /** Publishes that may wait for the stream at once, over all senders and for one of them. */
  readonly maxInFlight: number
  readonly maxInFlightPerSender: number
  log(level: "warn", message: string, fields: Readonly<Record<string, unknown>>): void
}

/** The closed list of answers (spec KEZ-NAT). */
export type Refusal = "full" | "slow" | "unknown" | "bad" | "size" | "retry"

export interface SendResponder {
  /** Starts answering on a connection logged in as GATEWAY. */
  attach(connection: NatsConnection): void
  /** Forgets what is in flight; the connection is gone, and with it the way to answer. */
  detach(): void
  readonly counters: Record<"stored" | "repeated" | Refusal, number>
  readonly inFlight: () => number
}

interface Pending {
  readonly message: Msg
  readonly sender: string
  readonly charge: Charge
  readonly since: number
}

/** The broker lets us answer within 10 s; the stream has half of that. */
const storeTimeoutMillis = 5_000
const sweepMillis = 500
const ok = Buffer.from('{"ok":1}')
const refusals = Object.fromEntries(
  (["full", "slow", "unknown", "bad", "size", "retry"] as const).map((code) => [
    code,
    Buffer.from(JSON.stringify({ e: code }))
  ])
) as Record<Refusal, Buffer>
/** JetStream's err_code for a stream or one of its subjects, an account, or the server's storage that holds all it may. */
const holdsAllItMay = new Set<unknown>([10077, 10002, 10047])

export const make = (options: SendResponderOptions): SendResponder => {
  const { quotas } = options
  const counters = { stored: 0, repeated: 0, full: 0, slow: 0, unknown: 0, bad: 0, size: 0, retry: 0 }
  const pending = new Map<string, Pending>()
  const perSender = new Map<string, number>()
  let next = 0
  let sweeper: NodeJS.Timeout | undefined

  const refuse = (message: Msg, code: Refusal): void => {
    counters[code] += 1
    message.respond(refusals[code])
  }

  /** Says until when, where that is known. */
  const refuseByQuota = (message: Msg, quota: QuotaRefusal): void => {
    if (quota.refusal === "full") return refuse(message, "full")
    counters.slow += 1
    message.respond(JSON.stringify({ e: "slow", at: wholeSeconds(quota.untilMillis) }))
  }

  const receive = (connection: NatsConnection, acks: string, message: Msg): void => {
    if (message.reply === "") return
    const recipient = message.subject.slice(Subject.send("").length)
    const sender = senderOf(message)
    const ids = message.headers?.values("Kez-Id") ?? []
    const kezId = ids.length === 1 ? (ids[0] as string) : ""
    const frame = message.data
    if (sender === undefined || !keyForm.test(recipient) || !idForm.test(kezId)) return refuse(message, "bad")
    // Revoked, and its connection not closed yet.
    if (!options.isActive(sender)) return refuse(message, "bad")
    if (frame.length < 1 || frame.length > Limits.frameBytes) return refuse(message, "size")
    if (sender !== recipient && !options.isActive(recipient)) return refuse(message, "unknown")
    if (!options.isReady()) return refuse(message, "retry")
    const before = perSender.get(sender) ?? 0
    if (pending.size >= options.maxInFlight || before >= options.maxInFlightPerSender) return refuse(message, "retry")
    const charge = quotas.charge(sender, recipient, frame.length)
    if ("refusal" in charge) return refuseByQuota(message, charge)
    const token = `${acks}${(next++).toString(36)}`
    pending.set(token, { message, sender, charge, since: performance.now() })
    perSender.set(sender, before + 1)
    // Deduplication is by stream, so the recipient is part of the id: nobody can spoil a Kez-Id for somebody else.
    const header = headers()
    header.set("Nats-Msg-Id", `${recipient.slice(0, 22)}.${kezId}`)
    const subject = sender === recipient ? Subject.self(sender) : Subject.inbox(recipient)
    connection.publish(subject, frame, { reply: token, headers: header })
  }

  const settle = (token: string, entry: Pending): void => {
    pending.delete(token)
    const left = (perSender.get(entry.sender) ?? 1) - 1
    if (left === 0) perSender.delete(entry.sender)
    else perSender.set(entry.sender, left)
  }

  const acknowledged = (message: Msg): void => {
    const entry = pending.get(message.subject)
    if (entry === undefined) return
    settle(message.subject, entry)
    const answer = parseAck(message)
    if (typeof answer === "string") {
      quotas.refund(entry.charge)
      return refuse(entry.message, answer)
    }
    options.noteLast(answer.seq)
    if (answer.repeated) {
      quotas.refund(entry.charge)
      counters.repeated += 1
    } else {
      counters.stored += 1
    }
    entry.message.respond(ok)
  }

  /** The charge stays when it is not known whether the frame was stored. */
  const giveUp = (before: number): void => {
    for (const [token, entry] of pending) {
      if (entry.since > before) break
      settle(token, entry)
      refuse(entry.message, "retry")
    }
  }

  return {
    attach: (connection) => {
      // A new subject for every connection: late acknowledgements of an old one mean nothing.
      const acks = `${ackPrefix}${crypto.randomUUID().replaceAll("-", "")}.`
      connection.subscribe(`${acks}*`, { callback: guarded(options.log, acknowledged) })
      connection.subscribe(Subject.send("*"), {
        queue: "kez-send",
        callback: guarded(
          options.log,
          (message) => receive(connection, acks, message),
          (message) => {
            if (message.reply !== "") refuse(message, "retry")
          }
        )
      })
      clearInterval(sweeper)
      sweeper = setInterval(() => {
        try {
          giveUp(performance.now() - storeTimeoutMillis)
        } catch {
          // The connection is closing; detach follows.
        }
      }, sweepMillis)
    },
    detach: () => {
      clearInterval(sweeper)
      for (const [token, entry] of pending) settle(token, entry)
    },
    counters,
    inFlight: () => pending.size
  }
}

const ackPrefix = "_INBOX_ing.s."
const keyForm = /^[0-9a-f]{64}$/
const idForm = new RegExp(`^[A-Za-z0-9_-]{${Limits.idCharacters}}$`)

const wholeSeconds = (millis: number): string => `${new Date(millis).toISOString().slice(0, 19)}Z`

/** The key that the broker vouches for; undefined unless it is a user's. */
const senderOf = (message: Msg): string | undefined => {
  const values = message.headers?.values("Nats-Request-Info") ?? []
  if (values.length !== 1) return undefined
  const info: unknown = JSON.parse(values[0] as string)
  return isObject(info) && info.acc === "CHAT" && typeof info.user === "string" && keyForm.test(info.user)
    ? info.user
    : undefined
}

const parseAck = (message: Msg): Refusal | { readonly seq: number; readonly repeated: boolean } => {
  // 503: no JetStream listens.
  if (message.headers?.code !== undefined && message.headers.code >= 400) return "retry"
  const ack: unknown = message.json()
  if (!isObject(ack)) return "retry"
  if (isObject(ack.error)) return holdsAllItMay.has(ack.error.err_code) ? "full" : "retry"
  return typeof ack.seq === "number" ? { seq: ack.seq, repeated: ack.duplicate === true } : "retry"
}
