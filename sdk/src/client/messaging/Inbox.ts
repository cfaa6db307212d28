/**
 * Receiving: opens frames, decides what each one is to this account, and keeps it (spec KEZ-SEQ: receiving).
 *
 * The position in the stream moves in the same commit as the messages, so a crash at any moment costs at most work done
 * twice: the ids that were seen are kept, and an envelope counts once however often it arrives.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import * as Result from "effect/Result"
import * as SealedMessage from "../../crypto/SealedMessage.ts"
import * as Body from "../../protocol/messages/Body.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as Message from "../../protocol/messages/Message.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import type { Frame } from "../../protocol/broker/Page.ts"
import { Problem } from "../../protocol/Problem.ts"
import { Crypto } from "../../services/Crypto.ts"
import type { StoreError } from "../../services/LocalStore.ts"
import { BrokerClock } from "../internal/BrokerClock.ts"
import { BlockList, ContactBook, ContactRefresh, self, Trust } from "../contacts/index.ts"
import { Addresses, Offers } from "../files/fetch/index.ts"
import * as Conversations from "./MessageLog.ts"
import { DevicePositions } from "./DevicePositions.ts"
import { Events } from "../internal/Events.ts"
import type { Event, Message as Kept } from "../model/index.ts"
import * as Conversation from "../internal/ConversationCounters.ts"
import { Ledger, type LedgerError, type Transaction } from "../internal/Ledger.ts"
import { Outbox } from "./Outbox.ts"
import type { Position } from "./Position.ts"
import { Receipts } from "./Receipts.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { readSettings } from "../internal/Settings.ts"

const { key } = Rows

/** What opening a frame came to. */
type Outcome =
  | { readonly _tag: "Opened"; readonly opened: SealedMessage.Opened }
  | { readonly _tag: "OwnCopy" }
  | { readonly _tag: "Unreadable"; readonly problem: Problem }
  /** Not readable by this version, or not just now: the raw frame is kept and tried again. */
  | { readonly _tag: "Later"; readonly problem: Problem }

/** Where a message stands in its sender's count. */
interface Place {
  readonly gap?: number
  readonly fork?: true
}

const leavesNoMessage = (outcome: Outcome): boolean =>
  outcome._tag === "OwnCopy" || (outcome._tag === "Opened" && Body.isHidden(outcome.opened.body))

/** Problems that a later version of this program may not have with the same frame. */
const laterCodes = new Set<Problem["code"]>(["suite_unsupported", "algorithm_unsupported", "internal"])

/** A restart fetches at most so many own copies again. */
const unsavedMax = 128

/** What this version can read; frames kept by an older one are tried again when this grows. */
const reader = 1

export class Inbox extends Context.Service<
  Inbox,
  {
    /** Takes frames in and moves the position, in one commit. */
    take(
      session: Session,
      epoch: string,
      frames: ReadonlyArray<Frame>,
      position: Position
    ): Effect.Effect<void, LedgerError, Crypto>
    /** Tries again what was kept for later. */
    retryKept(session: Session): Effect.Effect<void, LedgerError, Crypto>
  }
>()("@kez-chat/sdk/Inbox") {}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const book = yield* ContactBook
  const refresh = yield* ContactRefresh
  const blocks = yield* BlockList
  const addresses = yield* Addresses
  const outbox = yield* Outbox
  const receipts = yield* Receipts
  const positions = yield* DevicePositions
  const brokerClock = yield* BrokerClock
  const crypto = yield* Crypto
  const fork = yield* FiberSet.makeRuntime<never>()
  // Only WebCrypto computes elsewhere; the others would gain nothing from frames opened side by side.
  const concurrency = crypto.backend === "webcrypto" ? 16 : 1

  let unsaved = 0

  /** Publishes a request once the home has had a moment to name the stranger. */
  const publishRequest = (primary: string, message: Kept) => {
    const named = Effect.gen(function* () {
      yield* refresh.awaitPending(primary)
      const row = yield* ledger.get(key.contact(PrimaryKey.hexOf(primary)), Rows.Contact)
      if (row !== undefined) events.publish({ _tag: "Request", contact: Trust.toContact(row), message })
    })
    fork(Effect.ignore(named))
  }

  const open = (session: Session, frame: Uint8Array): Effect.Effect<Outcome, never, Crypto> =>
    Effect.suspend(() => {
      if (outbox.isOwnCopy(frame)) return Effect.succeed<Outcome>({ _tag: "OwnCopy" })
      const opening = SealedMessage.openFrame(session.identity, frame)
      return Effect.map(Effect.exit(opening), (exit): Outcome => {
        if (Exit.isSuccess(exit)) return { _tag: "Opened", opened: exit.value }
        const failure = Cause.findErrorOption(exit.cause)
        const problem =
          failure._tag === "Some"
            ? failure.value
            : new Problem({ code: "internal", detail: Cause.pretty(exit.cause).split("\n")[0] ?? "" })
        return { _tag: laterCodes.has(problem.code) ? "Later" : "Unreadable", problem }
      })
    })

  /** Notes a message's place in its sender's count. */
  const place = Effect.fnUntraced(function* (
    transaction: Transaction,
    message: Message.Message
  ): Effect.fn.Return<Place, StoreError> {
    const trackKey = key.track(message.from, message.to, message.device)
    const slotKey = key.slot(message)
    const track = yield* transaction.get(trackKey, Rows.Track)
    const gap = Message.gapBefore(track?.highest, message.seq)
    if (gap === "earlier") {
      const holder = yield* transaction.get(slotKey, Rows.Slot)
      if (holder !== undefined) return holder.id === message.id ? {} : { fork: true }
      transaction.put(slotKey, Rows.Slot, { id: message.id })
      return {}
    }
    transaction.put(slotKey, Rows.Slot, { id: message.id })
    transaction.put(trackKey, Rows.Track, { highest: message.seq })
    return gap > 0 ? { gap } : {}
  })

  const publish = (transaction: Transaction, event: Event) => transaction.onCommit(() => events.publish(event))

  /** The same (from, id) with another envelope: the first one stays, and shows that there was a second. */
  const equivocation = Effect.fnUntraced(function* (transaction: Transaction, seen: Rows.SeenRow) {
    if (seen.peer === undefined || seen.order === undefined) return
    const marked = yield* Conversations.change(transaction, seen.peer, seen.order, (row) =>
      row.equivocation === true ? row : { ...row, equivocation: true }
    )
    if (marked !== undefined) publish(transaction, { _tag: "State", message: marked })
  })

  /** A receipt counts for messages that this account wrote to the receipt's author, and for nothing else. */
  const receipt = Effect.fnUntraced(function* (
    transaction: Transaction,
    session: Session,
    author: string,
    body: Body.Receipt
  ) {
    for (const id of new Set(body.ids)) {
      const seen = yield* transaction.get(key.seenBy(session.identity.key.hex, id), Rows.Seen)
      if (seen?.peer !== author || seen.order === undefined) continue
      const advance = Conversations.advance(body.status)
      const message = yield* Conversations.change(transaction, author, seen.order, advance)
      if (message !== undefined) publish(transaction, { _tag: "State", message })
    }
  })

  const keep = Effect.fnUntraced(function* (
    transaction: Transaction,
    opened: SealedMessage.Opened,
    arrivedAt: number,
    placed: Place
  ) {
    const { hash, json, message, peer, role } = opened
    const kept = yield* Conversations.append(transaction, peer, {
      id: message.id,
      direction: role === "incoming" ? "in" : "out",
      body: json,
      device: message.device,
      seq: message.seq,
      hash,
      createdAt: message.createdAt,
      arrivedAt,
      ...(role === "incoming" ? {} : { state: "stored" as const }),
      ...(Message.isSuspicious(message.createdAt, arrivedAt) ? { suspicious: true as const } : {}),
      ...placed
    })
    transaction.put(key.seen(message), Rows.Seen, { hash, peer: peer.hex, order: kept.order })
    Offers.note(transaction, message.from.hex, peer.hex, kept.order, json)
    return kept
  })

  const incoming = Effect.fnUntraced(function* (
    transaction: Transaction,
    session: Session,
    opened: SealedMessage.Opened,
    arrivedAt: number
  ) {
    const { body, hash, message, peer } = opened
    const placed = yield* place(transaction, message)
    transaction.put(key.seen(message), Rows.Seen, { hash })
    if (body.type === "receipt") return yield* receipt(transaction, session, peer.hex, body)
    if (Body.isDeviceNote(body)) return
    const known = yield* transaction.get(key.contact(peer.hex), Rows.Contact)
    if (known?.state === "blocked") return
    if (body.type === "address_request" || body.type === "address") {
      // Of strangers and of those whose key or chain changed nothing is asked and nothing is answered.
      if (known?.state === "accepted")
        yield* addresses.receive(transaction, peer.hex, body, { createdAt: message.createdAt, arrivedAt })
      return
    }
    const stranger = known === undefined || known.state === "requested"
    if (stranger && (yield* readSettings(transaction)).inbox === "contacts") return
    const met = known ?? Trust.newContact(peer.hex, "requested", arrivedAt)
    const { check, judged } = Trust.afterClaim(met, body.chain, arrivedAt)
    const contact = judged.row
    if (known === undefined) book.save(transaction, contact)
    book.keep(transaction, met, judged)
    if (check || !contact.resolved) transaction.onCommit(() => refresh.enqueue(contact.primary))
    const kept = yield* keep(transaction, opened, arrivedAt, placed)
    const talk = yield* Conversation.counters(transaction, peer.hex)
    transaction.put(key.conversation(peer.hex), Rows.ConversationCounters, {
      ...talk,
      prev: hash,
      ...(stranger ? {} : { lastIncoming: kept.order })
    })
    transaction.onCommit(() => {
      if (stranger) publishRequest(contact.primary, kept)
      else {
        events.publish({ _tag: "Message", message: kept, contact: Trust.toContact(contact) })
        receipts.due(peer.hex)
      }
    })
  })

  /** What this account wrote elsewhere: on another device, or before this one was restored. */
  const own = Effect.fnUntraced(function* (
    transaction: Transaction,
    session: Session,
    opened: SealedMessage.Opened,
    arrivedAt: number
  ) {
    const { body, hash, message, peer, role } = opened
    const account = session.account()
    // A hole in an account's own count says nothing: receipts take numbers there and leave no copy.
    const { gap: _, ...placed } = yield* place(transaction, message)
    let talk = yield* Conversation.counters(transaction, peer.hex)
    // This device's own count, from a time that its store does not remember: it must go on after that. Half of all
    // numbers are enough for an honest one, and the other half is where a count would come to its end.
    if (message.device === account.device && message.seq < Number.MAX_SAFE_INTEGER / 2) {
      talk = { ...talk, seq: Math.max(talk.seq, message.seq + 1) }
    }
    transaction.put(key.seen(message), Rows.Seen, { hash })
    if (message.device !== account.device) yield* positions.seen(transaction, message.device, arrivedAt)
    if (Body.isHidden(body)) {
      transaction.put(key.conversation(peer.hex), Rows.ConversationCounters, talk)
      if (role === "note" && body.type === "block_list") yield* blocks.receive(transaction, body, arrivedAt)
      if (role === "note" && body.type === "device_position") {
        yield* positions.receive(transaction, message.device, body, arrivedAt)
      }
      return
    }
    let contact = role === "note" ? self(account) : yield* transaction.get(key.contact(peer.hex), Rows.Contact)
    if (contact === undefined || contact.state === "requested") {
      // Whoever this account wrote to was accepted by it. What they wrote before that was a request.
      contact = contact === undefined ? Trust.newContact(peer.hex, "accepted", arrivedAt) : Trust.accept(contact)
      book.save(transaction, contact)
      talk = yield* Conversation.receiptsFromHere(transaction, talk)
      const { primary, resolved } = contact
      if (!resolved) transaction.onCommit(() => refresh.enqueue(primary))
    }
    const kept = yield* keep(transaction, opened, arrivedAt, placed)
    transaction.put(key.conversation(peer.hex), Rows.ConversationCounters, { ...talk, prev: hash })
    publish(transaction, { _tag: "Message", message: kept, contact: Trust.toContact(contact) })
  })

  const receive = Effect.fnUntraced(function* (
    transaction: Transaction,
    session: Session,
    opened: SealedMessage.Opened,
    arrivedAt: number
  ) {
    const seen = yield* transaction.get(key.seen(opened.message), Rows.Seen)
    if (seen !== undefined) {
      if (seen.hash !== opened.hash) yield* equivocation(transaction, seen)
      return
    }
    yield* (opened.role === "incoming" ? incoming : own)(transaction, session, opened, arrivedAt)
  })

  const drop = (transaction: Transaction, epoch: string, frame: Frame, problem: Problem) => {
    const { code, detail } = problem
    transaction.put(key.dropped(frame.seq), Rows.Dropped, { epoch, seq: frame.seq, at: frame.timeMillis, code, detail })
    publish(transaction, { _tag: "Dropped", code, detail })
  }

  const takeOne = (
    transaction: Transaction,
    session: Session,
    epoch: string,
    frame: Frame,
    outcome: Outcome
  ): Effect.Effect<void, StoreError> => {
    switch (outcome._tag) {
      case "Opened":
        return receive(transaction, session, outcome.opened, frame.timeMillis)
      case "OwnCopy":
        return Effect.void
      case "Unreadable":
        return Effect.sync(() => drop(transaction, epoch, frame, outcome.problem))
      case "Later":
        return Effect.sync(() => {
          transaction.put(key.kept(epoch, frame.seq), Rows.Kept, {
            seq: frame.seq,
            at: frame.timeMillis,
            reader: outcome.problem.code === "internal" ? 0 : reader,
            frame: Bytes.toBase64Url(frame.frame)
          })
          drop(transaction, epoch, frame, outcome.problem)
        })
    }
  }

  return Inbox.of({
    take: (session, epoch, frames, position) =>
      Effect.flatMap(
        Effect.forEach(frames, (frame) => open(session, frame.frame), { concurrency }),
        (outcomes) => {
          // Own copies change nothing but the position, which may wait a while for the next commit.
          unsaved = outcomes.every(({ _tag }) => _tag === "OwnCopy") ? unsaved + frames.length : 0
          if (unsaved > 0 && unsaved < unsavedMax) return Effect.void
          unsaved = 0
          return ledger.transact(
            (transaction) =>
              Effect.gen(function* () {
                for (const [index, frame] of frames.entries()) {
                  yield* brokerClock.observe(frame.timeMillis)
                  yield* takeOne(transaction, session, epoch, frame, outcomes[index]!)
                }
                transaction.put(key.position, Rows.Position, position)
              }),
            // Undone by a loss of power, position and all, these would be fetched again without anybody seeing it.
            { relaxed: outcomes.every(leavesNoMessage) }
          )
        }
      ),
    retryKept: Effect.fnUntraced(function* (session: Session) {
      // One after the other: there may be many, and each is up to 64 KiB.
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
        const outcome = yield* open(session, bytes.success)
        if (outcome._tag !== "Opened") continue
        yield* ledger.transact((transaction) => {
          transaction.delete(entry.key)
          return receive(transaction, session, outcome.opened, row.success.at)
        })
      }
    })
  })
})

export const layer = Layer.effect(Inbox, make)
