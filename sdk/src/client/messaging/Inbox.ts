/**
 * Receiving: opens frames, decides what each one means for this account, and stores the result (spec KEZ-SEQ:
 * receiving).
 *
 * The position in the stream moves in the same commit as the messages, so a crash costs at most repeated work. The
 * ids of all envelopes seen are stored: an envelope counts once, however often it arrives.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as SealedMessage from "../../crypto/SealedMessage.ts"
import { Body, Bytes, Message, PrimaryKey } from "../../protocol/index.ts"
import type { Frame } from "../../protocol/broker/Page.ts"
import type { Problem } from "../../protocol/Problem.ts"
import { Crypto, type StoreError } from "../../services/index.ts"
import { BrokerClock } from "../internal/BrokerClock.ts"
import { BlockList, ContactBook, ContactRefresh, self, Trust } from "../contacts/index.ts"
import { Addresses, Offers } from "../files/fetch/index.ts"
import * as EarlyReceipts from "./EarlyReceipts.ts"
import * as MessageLog from "./MessageLog.ts"
import { DevicePositions } from "./DevicePositions.ts"
import { Events } from "../internal/Events.ts"
import type { Admission, Event, Message as Kept } from "../model/index.ts"
import * as ConversationCounters from "../internal/ConversationCounters.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import * as Opening from "./receiving/Opening.ts"
import { Outbox } from "./Outbox.ts"
import type { Position } from "./Position.ts"
import { Receipts } from "./Receipts.ts"
import * as SequenceCheck from "./receiving/SequenceCheck.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { readSettings } from "../internal/Settings.ts"
import { HeldMail } from "./requests/HeldMail.ts"
import * as InboxPolicy from "./requests/InboxPolicy.ts"
import { Introductions } from "./requests/Introductions.ts"

const { key } = Rows

/** A frame, and the result of opening it. */
export interface Opened extends Frame {
  readonly outcome: Opening.Outcome
}

/** How a message came to be taken in: in this frame, or after it was held back, which `admission` ended. */
type Arrival =
  | { readonly at: number; readonly frame: Frame }
  | { readonly at: number; readonly admission: Admission | undefined }

/** Most own copies taken before the position is committed: a restart refetches at most this many. */
const uncommittedMax = 128

/** Frames of one page from which on a thread of its own is worth its start. */
const backlogFrames = 128

/** The reading ability of this version. When it grows, frames that an older version kept are tried again. */
const reader = 1

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const book = yield* ContactBook
  const refresh = yield* ContactRefresh
  const blocks = yield* BlockList
  const addresses = yield* Addresses
  const held = yield* HeldMail
  const introductions = yield* Introductions
  const outbox = yield* Outbox
  const receipts = yield* Receipts
  const positions = yield* DevicePositions
  const brokerClock = yield* BrokerClock
  const crypto = yield* Crypto
  const fork = yield* FiberSet.makeRuntime<never>()
  // Only WebCrypto always works off the main thread; the other backends gain nothing from opening a few frames at a time.
  const concurrency = crypto.backend === "webcrypto" ? 32 : 1
  const apart = crypto.apart && { ...crypto, ...crypto.apart }

  const open = (session: Session, frame: Uint8Array) => Opening.open(outbox, session, frame)

  let uncommitted = 0

  /** Messages of strangers, by primary, to be published together: those of one commit, and of a lookup under way. */
  const requests = new Map<string, Array<Kept>>()

  /** Publishes a message request once the lookup of the stranger's name has ended. */
  const publishRequest = (primary: string, message: Kept) => {
    const waiting = requests.get(primary)
    if (waiting !== undefined) return void waiting.push(message)
    const messages = [message]
    requests.set(primary, messages)
    const publishNamed = Effect.gen(function* () {
      yield* Effect.yieldNow
      yield* refresh.awaitPending(primary)
      const row = yield* ledger.get(key.contact(PrimaryKey.hexOf(primary)), Rows.Contact)
      requests.delete(primary)
      // The block of the key before it may have followed to this one meanwhile.
      if (row === undefined || row.state === "blocked") return
      const contact = Trust.toContact(row)
      for (const message of messages) events.publish({ _tag: "Request", contact, message })
    })
    fork(
      Effect.ignore(
        Effect.ensuring(
          publishNamed,
          Effect.sync(() => requests.get(primary) === messages && requests.delete(primary))
        )
      )
    )
  }

  const publish = (transaction: Transaction, event: Event) => transaction.onCommit(() => events.publish(event))

  /** Marks a message whose (from, id) came again with another envelope. The first envelope stays. */
  const markEquivocation = Effect.fnUntraced(function* (transaction: Transaction, seen: Rows.SeenRow) {
    if (seen.peer === undefined || seen.order === undefined) return
    const marked = yield* MessageLog.change(transaction, seen.peer, seen.order, (row) =>
      row.equivocation === true ? row : { ...row, equivocation: true }
    )
    if (marked !== undefined) publish(transaction, { _tag: "State", message: marked })
  })

  const append = Effect.fnUntracedEager(function* (
    transaction: Transaction,
    opened: SealedMessage.Opened,
    arrivedAt: number,
    marks: SequenceCheck.SequenceMarks & { readonly retired?: true }
  ) {
    const { hash, json, message, peer, role } = opened
    const kept = yield* MessageLog.append(transaction, peer, {
      id: message.id,
      direction: role === "incoming" ? "in" : "out",
      body: json,
      device: message.device,
      seq: message.seq,
      hash,
      createdAt: message.createdAt,
      arrivedAt,
      proof: EarlyReceipts.proofOf(opened),
      ...(role === "incoming" ? {} : { state: yield* EarlyReceipts.take(transaction, peer.hex, message.id) }),
      ...(Message.isSuspicious(message.createdAt, arrivedAt) ? { suspicious: true as const } : {}),
      ...marks
    })
    transaction.put(key.seen(message), Rows.Seen, { hash, peer: peer.hex, order: kept.order })
    Offers.note(transaction, message.from.hex, peer.hex, kept.order, json)
    return kept
  })

  /** Takes in what another account wrote. */
  const takeIncoming = Effect.fnUntracedEager(function* (
    transaction: Transaction,
    session: Session,
    opened: SealedMessage.Opened,
    arrival: Arrival
  ) {
    const { body, hash, message, peer } = opened
    const arrivedAt = arrival.at
    // A former key that was handed over to the one that the user accepted writes as the contact.
    const retired = yield* transaction.get(key.retired(peer.hex), Rows.Retired)
    const known = yield* transaction.get(key.contact(retired?.to ?? peer.hex), Rows.Contact)
    const isStranger = known === undefined || known.state === "requested"
    // Who is shown as a request stays one: the policy decides about strangers who are not.
    const policy =
      known === undefined && "frame" in arrival ? InboxPolicy.forStrangers(yield* readSettings(transaction)) : "show"
    // Not even its sequence number is recorded: when it is let in, it is taken as if it had just arrived.
    if (policy === "hold" && "frame" in arrival && !Body.isHidden(body)) {
      return yield* held.hold(transaction, peer.hex, message.id, { at: arrivedAt, ...arrival.frame })
    }
    const marks = {
      ...(yield* SequenceCheck.check(transaction, message)),
      ...(retired !== undefined && arrivedAt > retired.at ? { retired: true as const } : {})
    }
    transaction.put(key.seen(message), Rows.Seen, { hash })
    if (body.type === "receipt") {
      const changed = yield* EarlyReceipts.apply(transaction, session, body, opened)
      for (const message of changed) publish(transaction, { _tag: "State", message })
      return
    }
    if (Body.isDeviceNote(body)) return
    if (known?.state === "blocked") return
    if ((retired !== undefined || session.isRetired === true) && Body.isHidden(body)) return
    if (body.type === "address_request" || body.type === "address") {
      // Neither strangers nor contacts whose key or sigchain changed are asked or answered.
      if (known?.state === "accepted")
        yield* addresses.receive(transaction, peer.hex, body, { createdAt: message.createdAt, arrivedAt })
      return
    }
    if (policy === "drop") return
    const admission = "admission" in arrival && arrival.admission !== undefined ? { admission: arrival.admission } : {}
    const before = known ?? { ...Trust.newContact(peer.hex, "requested", arrivedAt), ...admission }
    const { check, judged } =
      retired === undefined
        ? Trust.afterClaim(before, body.chain, arrivedAt)
        : { check: false, judged: { row: before } satisfies Trust.Judged }
    const contact = judged.row
    if (known === undefined) book.save(transaction, contact)
    book.keep(transaction, before, judged)
    if (check || !contact.resolved) transaction.onCommit(() => refresh.enqueue(contact.primary))
    const kept = yield* append(transaction, opened, arrivedAt, marks)
    if (body.type === "introduction" && !isStranger && body.primary !== session.identity.primary) {
      yield* introductions.receive(transaction, peer.hex, body, arrivedAt)
      transaction.onCommit(() => held.notice(PrimaryKey.hexOf(body.primary)))
    }
    const counters = yield* ConversationCounters.read(transaction, peer.hex)
    ConversationCounters.put(transaction, peer.hex, {
      ...counters,
      prev: hash,
      unread: (counters.unread ?? 0) + 1,
      lastIncoming: kept.order,
      // A receipt counts only from the key that the message was written to.
      ...(session.isRetired === true ? { deliveredReceiptedUpTo: kept.order } : {})
    })
    transaction.onCommit(() => {
      if (isStranger) publishRequest(contact.primary, kept)
      else {
        events.publish({ _tag: "Message", message: kept, contact: Trust.toContact(contact) })
        if (session.isRetired !== true) receipts.due(peer.hex)
      }
    })
  })

  /** Takes in what this account wrote: on another device, or on this one before it was restored. */
  const takeOwn = Effect.fnUntracedEager(function* (
    transaction: Transaction,
    session: Session,
    opened: SealedMessage.Opened,
    arrivedAt: number
  ) {
    const { body, hash, message, peer, role } = opened
    const account = session.account()
    // A gap in the account's own sequence means nothing: receipts take numbers there and leave no copy.
    const { gap: _, ...marks } = yield* SequenceCheck.check(transaction, message)
    let counters = yield* ConversationCounters.read(transaction, peer.hex)
    // A number of this device that its store does not know, because the store was restored: the sequence continues
    // after it. Numbers in the upper half are ignored, because one near the end would leave none to continue with.
    const isOwnKey = session.isRetired !== true
    if (isOwnKey && message.device === account.device && message.seq < Number.MAX_SAFE_INTEGER / 2) {
      counters = { ...counters, seq: Math.max(counters.seq, message.seq + 1) }
    }
    transaction.put(key.seen(message), Rows.Seen, { hash })
    if (isOwnKey && message.device !== account.device) yield* positions.seen(transaction, message.device, arrivedAt)
    if (Body.isHidden(body)) {
      ConversationCounters.put(transaction, peer.hex, counters)
      if (role === "note" && body.type === "block_list") yield* blocks.receive(transaction, body, arrivedAt)
      if (isOwnKey && role === "note" && body.type === "device_position") {
        yield* positions.receive(transaction, message.device, body, arrivedAt)
      }
      return
    }
    let contact = role === "note" ? self(account) : yield* transaction.get(key.contact(peer.hex), Rows.Contact)
    if (contact === undefined || contact.state === "requested") {
      // Writing to a contact accepts it.
      contact = contact === undefined ? Trust.newContact(peer.hex, "accepted", arrivedAt) : Trust.accept(contact)
      book.save(transaction, contact)
      const { primary, resolved } = contact
      transaction.onCommit(() => receipts.due(peer.hex))
      if (!resolved) transaction.onCommit(() => refresh.enqueue(primary))
    }
    const kept = yield* append(transaction, opened, arrivedAt, marks)
    if (body.type === "introduction") yield* introductions.receiveOwn(transaction, peer.hex, body, arrivedAt)
    ConversationCounters.put(transaction, peer.hex, { ...counters, prev: hash, unread: 0 })
    publish(transaction, { _tag: "Message", message: kept, contact: Trust.toContact(contact) })
  })

  const takeOpened = Effect.fnUntracedEager(function* (
    transaction: Transaction,
    session: Session,
    opened: SealedMessage.Opened,
    arrival: Arrival
  ) {
    const seen = yield* transaction.get(key.seen(opened.message), Rows.Seen)
    if (seen !== undefined) {
      if (seen.hash !== opened.hash) yield* markEquivocation(transaction, seen)
      return
    }
    if (opened.role === "incoming") return yield* takeIncoming(transaction, session, opened, arrival)
    yield* takeOwn(transaction, session, opened, arrival.at)
  })

  const recordDrop = (transaction: Transaction, epoch: string, frame: Frame, problem: Problem) => {
    const { code, detail } = problem
    transaction.put(key.dropped(frame.seq), Rows.Dropped, { epoch, seq: frame.seq, at: frame.timeMillis, code, detail })
    publish(transaction, { _tag: "Dropped", code, detail })
  }

  const takeOne = (
    transaction: Transaction,
    session: Session,
    epoch: string,
    { outcome, ...frame }: Opened
  ): Effect.Effect<void, StoreError> => {
    switch (outcome._tag) {
      case "Opened":
        return takeOpened(transaction, session, outcome.opened, { at: frame.timeMillis, frame })
      case "OwnCopy":
        return Effect.void
      case "Unreadable":
        return Effect.sync(() => recordDrop(transaction, epoch, frame, outcome.problem))
      case "Later":
        return Effect.sync(() => {
          transaction.put(key.kept(epoch, frame.seq), Rows.Kept, {
            seq: frame.seq,
            at: frame.timeMillis,
            reader: outcome.problem.code === "internal" ? 0 : reader,
            frame: Bytes.toBase64Url(frame.frame)
          })
          recordDrop(transaction, epoch, frame, outcome.problem)
        })
    }
  }

  return {
    /** Opens frames, which changes nothing. */
    open: (session: Session, frames: ReadonlyArray<Frame>): Effect.Effect<ReadonlyArray<Opened>, never, Crypto> => {
      const turn = Opening.turns()
      const openEach = (concurrency: number) =>
        Effect.forEach(
          frames,
          (frame) => Effect.map(Effect.andThen(turn, open(session, frame.frame)), (outcome) => ({ ...frame, outcome })),
          { concurrency }
        )
      return apart === undefined || frames.length < backlogFrames
        ? openEach(concurrency)
        : Effect.provideService(openEach(frames.length), Crypto, apart)
    },
    /** Takes in frames and moves the position, in one commit. */
    take: (
      session: Session,
      epoch: string,
      frames: ReadonlyArray<Opened>,
      position: Position,
      positionKey: string = key.position
    ) =>
      Effect.suspend(() => {
        // Own copies change nothing but the position, which can wait for the next commit.
        if (positionKey === key.position)
          uncommitted = frames.every(({ outcome }) => outcome._tag === "OwnCopy") ? uncommitted + frames.length : 0
        if (positionKey === key.position && uncommitted > 0 && uncommitted < uncommittedMax) return Effect.void
        if (positionKey === key.position) uncommitted = 0
        return ledger.transact(
          Effect.fnUntraced(function* (transaction: Transaction) {
            yield* brokerClock.observe(frames.reduce((latest, { timeMillis }) => Math.max(latest, timeMillis), 0))
            for (const frame of frames) yield* takeOne(transaction, session, epoch, frame)
            transaction.put(positionKey, Rows.Position, position)
          }),
          // Shown once committed. If a loss of power undoes them, position included, they are fetched again: what tells
          // others that they are here (a receipt, a trim) waits for the disk.
          { relaxed: true }
        )
      }),
    /**
     * Takes in a frame that was held back under `name`. One that cannot be opened any more is kept or skipped, and the
     * user told, as if it had just arrived.
     */
    takeHeld: Effect.fnUntraced(function* (
      transaction: Transaction,
      session: Session,
      name: string,
      { at, frame: text, seq }: Rows.HeldFrameRow,
      admission: Admission | undefined
    ) {
      const frame = Result.getOrElse(Bytes.fromBase64Url(text), () => new Uint8Array())
      const { as, outcome } = yield* Opening.openStored(outbox, session, frame)
      if (outcome._tag === "Opened") return yield* takeOpened(transaction, as, outcome.opened, { at, admission })
      yield* takeOne(transaction, session, name, { seq, timeMillis: at, frame, outcome })
    }),
    /** Tries again to open the frames that were kept for later. */
    retryKept: Effect.fnUntraced(function* (session: Session) {
      // One at a time, because there may be many of up to 64 KiB each.
      let after: string | undefined
      while (true) {
        const bounds = after === undefined ? {} : { after }
        const [entry] = yield* ledger.scan({ prefix: Rows.prefix.kept, limit: 1, ...bounds })
        if (entry === undefined) return
        after = entry.key
        const row = Rows.Kept.decode(entry.key, entry.value)
        if (Result.isFailure(row) || row.success.reader >= reader) continue
        const bytes = Bytes.fromBase64Url(row.success.frame)
        if (Result.isFailure(bytes)) continue
        const { as, outcome } = yield* Opening.openStored(outbox, session, bytes.success)
        if (outcome._tag !== "Opened") continue
        yield* ledger.transact((transaction) => {
          transaction.delete(entry.key)
          const { at, seq } = row.success
          return takeOpened(transaction, as, outcome.opened, {
            at,
            frame: { seq, timeMillis: at, frame: bytes.success }
          })
        })
      }
    })
  }
})

export class Inbox extends Context.Service<Inbox>()("@kez-chat/sdk/Inbox", { make }) {}

export const layer = Layer.effect(Inbox, make)
