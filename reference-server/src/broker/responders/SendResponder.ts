/**
 * Stores users' sends (spec KEZ-NAT-019 to 025): a request on `kez.send.<recipient>` becomes a JetStream publish on
 * `kez.inbox.<recipient>`, or on `kez.self.<own>` for an account's own copy.
 *
 * Requests arrive on one connection (intake) and wait in a fair queue; a second connection (store) publishes them, just
 * enough at a time to keep the stream busy, since a published send has left the queue and is served in order. So one
 * account's flood costs the others a turn, and acknowledgements never wait behind it.
 *
 * Only the frame itself reaches the stream: the client's headers are dropped and one of ours is set. The sender is the
 * user that the broker names (`Nats-Request-Info`).
 *
 * Messages are handled in plain callbacks, without a fiber or a promise each: this path is measured
 * (bench/broker.bench.ts). Those that wait are charged together, in a fiber; what is charged is committed before a frame
 * is stored. Connections and timeouts are scoped.
 */
import { headers, type Msg, type NatsConnection } from "@nats-io/nats-core"
import { Acceptance, BrokerAnswer, Bytes, KezId, Limits, Subject } from "@kez-chat/sdk/protocol"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { createHmac, createSecretKey, type KeyObject } from "node:crypto"
import { callbackLog } from "../../process/CallbackLog.ts"
import { every } from "../../process/Every.ts"
import { subscribe } from "../connections/Subscription.ts"
import type { ActiveKeys } from "../../storage/ActiveKeys.ts"
import type { Acceptances } from "./Acceptances.ts"
import * as BlockedSends from "./BlockedSends.ts"
import type { Blocks } from "./Blocks.ts"
import * as FairQueue from "../limits/FairQueue.ts"
import type { FloodGuard } from "../limits/FloodGuard.ts"
import * as Partitions from "../stream/Partitions.ts"
import type { Charge, Quotas, Verdict } from "../limits/Quotas.ts"
import * as RequestHeaders from "./RequestHeaders.ts"
import * as StoreAck from "./StoreAck.ts"

export interface SendResponderOptions {
  /** Number of streams that inboxes are spread over. */
  readonly partitions: number
  /** Whether a stream is known not to have gone back. Until then nothing is stored, as it would hide that it has. */
  readonly isReady: (partition: number) => boolean
  readonly activeKeys: ActiveKeys["Service"]
  readonly quotas: Quotas
  readonly blocks: Pick<Blocks, "isBlocked">
  /** Whether a stream has room for a frame of this size, as far as known. */
  hasRoom(partition: number, bytes: number): boolean
  readonly guard: FloodGuard
  /** Signs for senders that ask for it. */
  readonly acceptances: Acceptances | undefined
  /** Keys the ids that the stream deduplicates by; the same for all instances. */
  readonly deduplicationKey: Uint8Array
  /** Called for each stored frame: its stream, its sequence number and the time since its arrival. */
  noteLast(partition: number, seq: number, millis: number): void
  /** Sends that may wait for their turn. */
  readonly waiting: FairQueue.FairQueueLimits
  /** Concurrent publishes, by number and bytes. */
  readonly maxInFlight: number
  readonly maxBytesInFlight: number
}

export type SendResponder = Effect.Success<ReturnType<typeof make>>

/** Holds no `Msg`, which would keep the socket's whole buffer in memory while it waits. */
interface Send {
  readonly intake: NatsConnection
  readonly reply: string
  readonly sender: string
  readonly recipient: string
  /** Of the recipient. */
  readonly partition: number
  readonly kezId: string
  readonly asksToSign: boolean
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

/** Longest wait for a turn and for the stream. The broker lets us answer within 10 s. */
const waitTimeoutMillis = 4_000
const storeTimeoutMillis = 5_000
const sweepMillis = 500
/** Most turns of the event loop that go by before the next batch while more sends arrive. */
const readTurns = 16

export const make = Effect.fnUntraced(function* (options: SendResponderOptions) {
  const { activeKeys, guard, quotas } = options
  const log = yield* callbackLog
  const fork = yield* FiberSet.makeRuntime()
  const counters = {
    stored: 0,
    repeated: 0,
    blocked: 0,
    full: 0,
    slow: 0,
    unknown: 0,
    bad: 0,
    size: 0,
    retry: 0,
    moved: 0
  }
  // A key in bytes takes Node five times as long to use.
  const deduplicationKey = createSecretKey(options.deduplicationKey)
  const queue = FairQueue.make<Send>(options.waiting)
  const pending = new Map<string, Pending>()
  const blockedSends = BlockedSends.make()
  let bytesInFlight = 0
  const stores: Array<{ readonly connection: NatsConnection; readonly acks: string } | undefined> = []
  let next = 0
  /** Sends that were put into the queue. */
  let received = 0
  let isPumping = false
  let isAdmitting = false

  const canStore = (partition: number): boolean => stores[partition] !== undefined && options.isReady(partition)

  const answer = ({ intake, reply }: Pick<Send, "intake" | "reply">, bytes: Uint8Array): void => {
    if (!intake.isClosed()) intake.publish(reply, bytes)
  }
  const accept = (send: Send): void => {
    if (!send.asksToSign || options.acceptances === undefined) return answer(send, BrokerAnswer.ok)
    options.acceptances.answer(send.recipient, send.frame, (signed) => answer(send, signed))
  }
  /** For trouble on the server's side, which counts against nobody. */
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
    // Cannot happen: the import names the sender.
    if (head === undefined) return
    const { sender } = head
    const { data, reply = "" } = message
    const bytes = RequestHeaders.sizeOf(message)
    // A send without a reply subject is invalid. A flooding account gets no answer: its connections are being closed.
    if (reply === "" || guard.isShutOut(sender)) return guard.refused(sender, bytes)
    const asker = { intake, reply, sender, bytes }
    const recipient = message.subject.slice(Subject.send("").length)
    const ids = head.values(KezId.header) ?? []
    const kezId = ids.length === 1 ? (ids[0] as string) : ""
    if (!Bytes.isHex(recipient, Limits.keyBytes) || !KezId.isKezId(kezId)) return refuse(asker, { code: "bad" })
    if (data.length < 1 || data.length > Limits.frameBytes) return refuse(asker, { code: "size" })
    const partition = Partitions.partitionOf(recipient, options.partitions)
    const asksToSign =
      options.acceptances !== undefined &&
      head.mentions(Acceptance.header) &&
      head.values(Acceptance.header)?.[0] === Acceptance.asked
    const send = {
      ...asker,
      recipient,
      partition,
      kezId,
      asksToSign,
      frame: Uint8Array.from(data),
      since: performance.now()
    }
    if (!canStore(partition)) return putOff(send)
    const offered = queue.offer(sender, send, data.length)
    if (offered === "account") return refuse(asker, { code: "retry" })
    if (offered === "full") return putOff(send)
    received += 1
    schedule()
  }

  const schedule = (): void => {
    if (isPumping) return
    isPumping = true
    readThenPump(received, readTurns)
  }

  /**
   * Pumps once what has arrived is read, so that a send's turn does not depend on its place in the socket's buffer:
   * each turn of the event loop reads a piece of it.
   */
  const readThenPump = (before: number, turns: number): void => {
    setImmediate(() => {
      const isRead = received === before || turns === 0 || queue.size() >= 4 * options.maxInFlight
      if (isRead) pump()
      else readThenPump(received, turns - 1)
    })
  }

  const pump = (): void => {
    isPumping = false
    // The next batch is all that comes while this one is admitted.
    if (isAdmitting) return
    const batch = nextBatch()
    if (batch.length === 0) return
    isAdmitting = true
    fork(
      admit(batch).pipe(
        Effect.catchCause((cause) =>
          Effect.sync(() => {
            log("warn", "sends not stored", { reason: (Cause.squash(cause) as Error).message })
            for (const send of batch) putOff(send)
          })
        ),
        Effect.ensuring(
          Effect.sync(() => {
            isAdmitting = false
            schedule()
          })
        )
      )
    )
  }

  /** The sends that the stream has room for, in turn. */
  const nextBatch = (): ReadonlyArray<Send> => {
    const now = performance.now()
    const batch: Array<Send> = []
    let bytes = bytesInFlight
    while (pending.size + batch.length < options.maxInFlight && bytes < options.maxBytesInFlight) {
      const send = queue.take()
      if (send === undefined) break
      if (now - send.since > waitTimeoutMillis || !canStore(send.partition)) putOff(send)
      else {
        batch.push(send)
        bytes += send.frame.length
      }
    }
    return batch
  }

  /** Charges a batch, and stores or refuses each of its sends. */
  const admit = Effect.fnUntraced(function* (batch: ReadonlyArray<Send>) {
    const isKnown = ({ recipient, sender }: Send) => activeKeys.has(sender) && activeKeys.receives(recipient)
    if (!batch.every(isKnown)) yield* activeKeys.refresh
    const allowed = batch.filter((send) => {
      // Its connection is not closed yet. What waits at a device of a key that was handed over must stay there.
      if (!activeKeys.has(send.sender)) refuse(send, { code: activeKeys.isMoved(send.sender) ? "retry" : "bad" })
      else if (activeKeys.isMoved(send.recipient)) refuse(send, { code: "moved" })
      else if (!activeKeys.receives(send.recipient)) refuse(send, { code: "unknown" })
      else return true
      return false
    })
    if (allowed.length === 0) return
    const others = allowed.filter(({ recipient, sender }) => recipient !== sender)
    // A block follows the blocked account to its next key.
    const pairs = others.flatMap((send) =>
      [send.sender, ...activeKeys.formerOf(send.sender)].map((who) => ({ send, owner: send.recipient, who }))
    )
    const isBlocked = yield* options.blocks.isBlocked(pairs)
    const blocked = new Set(pairs.filter((_, i) => isBlocked[i]).map(({ send }) => send))
    const verdicts = yield* quotas.charge(
      allowed.map((send) => ({
        sender: send.sender,
        recipient: send.recipient,
        bytes: send.frame.length,
        isBlocked: blocked.has(send)
      }))
    )
    for (const [i, send] of allowed.entries()) {
      const charge = verdicts[i] as Verdict
      if ("code" in charge) refuse(send, charge)
      else forward(send, charge, blocked.has(send))
    }
  })

  const forward = (send: Send, charge: Charge, isBlocked: boolean): void => {
    const { frame, partition, recipient, sender } = send
    const store = stores[partition]
    if (store === undefined || !options.isReady(partition)) {
      quotas.refund(charge)
      return putOff(send)
    }
    // A full stream must not reveal a block either.
    if (isBlocked && !options.hasRoom(partition, frame.length)) {
      quotas.refund(charge)
      return refuse(send, { code: "full" })
    }
    const { acks, connection } = store
    const token = `${acks}${(next++).toString(36)}`
    pending.set(token, { send, charge, since: performance.now() })
    bytesInFlight += frame.length
    if (isBlocked) return vanish(token, send)
    const header = headers()
    header.set("Nats-Msg-Id", deduplicationId(deduplicationKey, send))
    const subject = sender === recipient ? Subject.self(sender) : Subject.inbox(recipient)
    connection.publish(subject, frame, { reply: token, headers: header })
  }

  /** Answers as if the frame of a blocked sender had been stored. */
  const vanish = (token: string, send: Send): void => {
    counters.blocked += 1
    const isRepeated = blockedSends.isRepeated(deduplicationId(deduplicationKey, send))
    setTimeout(() => {
      const entry = pending.get(token)
      if (entry === undefined) return
      settle(token, entry)
      if (isRepeated) {
        quotas.refund(entry.charge)
        guard.refused(send.sender, send.bytes)
      }
      accept(send)
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
    const ack = StoreAck.parse(message)
    if (typeof ack === "string") {
      quotas.refund(charge)
      return ack === "retry" ? putOff(send) : refuse(send, { code: ack })
    }
    options.noteLast(send.partition, ack.seq, performance.now() - send.since)
    blockedSends.noteStore(performance.now() - entry.since)
    if (ack.repeated) {
      quotas.refund(charge)
      counters.repeated += 1
      guard.refused(send.sender, send.bytes)
    } else {
      counters.stored += 1
    }
    accept(send)
  }

  /** Keeps the charge, since the frame may have been stored. */
  const giveUp = (token: string, entry: Pending): void => {
    settle(token, entry)
    putOff(entry.send)
  }

  const giveUpOverdue = (): void => {
    const before = performance.now() - storeTimeoutMillis
    for (const [token, entry] of pending) {
      if (entry.since > before) break
      giveUp(token, entry)
    }
  }
  yield* every(sweepMillis, "overdue sends not answered", Effect.sync(giveUpOverdue))

  return {
    /** Takes requests from a connection logged in as GATEWAY, and answers there. */
    listen: (connection: NatsConnection) =>
      Effect.sync(() =>
        subscribe(connection, { subject: Subject.send("*"), queue: "kez-send" }, log, (message) =>
          receive(connection, message)
        )
      ),
    /**
     * Stores over this connection, logged in as GATEWAY of one of the streams, until the scope closes; sends to that
     * stream that are under way then are answered `retry`.
     */
    attach: Effect.fnUntraced(function* (partition: number, connection: NatsConnection) {
      // A new subject for every connection, so that late acknowledgements of an old one are ignored.
      const acks = `${ackPrefix}${crypto.randomUUID().replaceAll("-", "")}.`
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          subscribe(connection, { subject: `${acks}*` }, log, acknowledged)
          stores[partition] = { connection, acks }
        }),
        () =>
          Effect.sync(() => {
            stores[partition] = undefined
            for (const [token, entry] of pending) if (entry.send.partition === partition) giveUp(token, entry)
            for (const send of queue.clear()) putOff(send)
          })
      )
    }),
    counters,
    /** Sends that wait or are being stored. */
    inFlight: () => pending.size + queue.size()
  }
})

const ackPrefix = "_INBOX_ing.s."

/**
 * The id that the stream deduplicates by. It does so across all subjects, and stores and delivers the id with the
 * frame. So the id is unique to this sender, recipient and Kez-Id, and does not reveal the sender (spec KEZ-NAT-022,
 * 048).
 */
const deduplicationId = (key: KeyObject, { kezId, recipient, sender }: Send): string =>
  createHmac("sha256", key)
    .update(sender + recipient + kezId)
    .digest("base64url")
    .slice(0, 22)
