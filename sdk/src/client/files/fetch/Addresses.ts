/**
 * Finding devices: contacts ask each other for addresses by messages that no user sees (spec: addresses).
 *
 * A device that fetches asks, and accepts the answer however late it arrives while the process lives. A device that
 * serves answers accepted contacts; when serving begins, also the newest request that each of them made within a day,
 * so that a waiting fetch resumes within seconds of the owner's return.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { type Body, Bytes, Limits, Message } from "../../../protocol/index.ts"
import { admitHex, type AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import type * as BlobTransport from "../../../services/BlobTransport.ts"
import { Crypto, Directory } from "../../../services/index.ts"
import { BrokerClock, uptimeMillis } from "../../internal/BrokerClock.ts"
import * as KeyedWorker from "../../internal/KeyedWorker.ts"
import { Ledger, type Transaction } from "../../internal/Ledger.ts"
import { BrokerLink } from "../../internal/BrokerLink.ts"
import { SendQueue } from "../../internal/SendQueue.ts"
import * as PeerAddresses from "./PeerAddresses.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"

const { key } = Rows

/** How long to wait for an answer before the owner counts as away. */
const answerTimeoutMillis = 10_000

/** Burst size and refill interval of answers to one contact. */
const answerBurst = 8
const answerRefillMillis = 15_000

/** The pause before a failed answer is tried again. */
const retryPause = "5 seconds"

/** The number of requests to one contact that may still be answered. */
const openRequestsMax = 16

/** When a body was signed by its author's clock, and stored by the broker's; milliseconds since the epoch. */
interface Times {
  readonly createdAt: number
  readonly arrivedAt: number
}

/** What limits the answers to one contact: a bucket that refills with time. */
interface AnswerBudget {
  left: number
  /** When `left` was counted, by {@link uptimeMillis}. */
  countedAt: number
}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const sendQueue = yield* SendQueue
  const brokerClock = yield* BrokerClock
  const link = yield* BrokerLink
  const crypto = yield* Crypto
  const directory = yield* Directory
  /** `until` by {@link uptimeMillis}. */
  const found = new Map<string, { readonly addresses: BlobTransport.Addresses; readonly until: number }>()
  /** By contact: the nonces of our requests that no answer used, and when each was made, by {@link uptimeMillis}. */
  const asked = new Map<string, Map<string, number>>()
  const askedAt = new Map<string, number>()
  const waiting = new Map<string, Set<Deferred.Deferred<void>>>()
  const answers = KeyedWorker.make()

  /** Accepts an answer that was stored `stored` milliseconds before `now`. */
  const accept = (peerHex: string, body: Body.Address, createdAt: number, now: number, stored: number): void => {
    if (Message.addressLife({ createdAt, expiresAt: body.expiresAt }, { stored, asked: 0 }) === 0) return
    const nonce = Bytes.toBase64Url(body.nonce)
    const at = asked.get(peerHex)?.get(nonce)
    asked.get(peerHex)?.delete(nonce)
    if (at === undefined) return
    const life = Message.addressLife({ createdAt, expiresAt: body.expiresAt }, { stored, asked: now - at })
    if (life === 0) return
    const relayUrl =
      body.relay_url !== undefined && PeerAddresses.isRelay(body.relay_url) ? { relayUrl: body.relay_url } : {}
    const addresses: BlobTransport.Addresses = { direct: PeerAddresses.dialable(body.addrs), ...relayUrl }
    if (addresses.direct.length === 0 && addresses.relayUrl === undefined) return
    found.set(peerHex, { addresses, until: now + life })
    askedAt.delete(peerHex)
    for (const waiter of waiting.get(peerHex) ?? []) Deferred.doneUnsafe(waiter, Effect.void)
  }

  const receive = Effect.fnUntraced(function* (
    transaction: Transaction,
    peerHex: string,
    body: Body.AddressRequest | Body.Address,
    times: Times
  ) {
    const { arrivedAt, createdAt } = times
    if (body.type === "address") {
      const stored = yield* brokerClock.age(arrivedAt)
      const now = yield* uptimeMillis
      return transaction.onCommit(() => accept(peerHex, body, createdAt, now, stored))
    }
    const before = yield* transaction.get(key.asked(peerHex), Rows.Asked)
    if (before !== undefined && before.at > arrivedAt) return
    transaction.put(key.asked(peerHex), Rows.Asked, { nonce: Bytes.toBase64Url(body.nonce), at: arrivedAt })
    transaction.onCommit(() => answers.wake(peerHex))
  })

  const known = (peerHex: string) =>
    Effect.map(uptimeMillis, (now) => {
      const held = found.get(peerHex)
      if (held !== undefined && held.until > now) return held.addresses
      found.delete(peerHex)
      return undefined
    })

  const arrival = (peerHex: string) =>
    Effect.suspend(() => {
      const waiter = Deferred.makeUnsafe<void>()
      const waiters = waiting.get(peerHex) ?? new Set()
      waiting.set(peerHex, waiters.add(waiter))
      return Effect.ensuring(
        Deferred.await(waiter),
        Effect.sync(() => {
          waiters.delete(waiter)
          if (waiters.size === 0 && waiting.get(peerHex) === waiters) waiting.delete(peerHex)
        })
      )
    })

  const request = Effect.fnUntraced(function* (session: Session, peer: AdmittedKey) {
    const nonce = yield* crypto.randomBytes(Limits.idBytes)
    const nonces = asked.get(peer.hex) ?? new Map<string, number>()
    asked.set(peer.hex, nonces.set(Bytes.toBase64Url(nonce), yield* uptimeMillis))
    if (nonces.size > openRequestsMax) nonces.delete(nonces.keys().next().value!)
    yield* ledger.transact((transaction) =>
      sendQueue.enqueue(transaction, session, peer, { type: "address_request", nonce })
    )
  })

  const ask = Effect.fnUntraced(function* (session: Session, peer: AdmittedKey) {
    yield* link.online
    const now = yield* uptimeMillis
    // Fetches of several files from one owner share a request.
    const asks = now >= (askedAt.get(peer.hex) ?? -Infinity) + answerTimeoutMillis
    if (asks) askedAt.set(peer.hex, now)
    const timeout = Effect.sleep((askedAt.get(peer.hex) ?? now) + answerTimeoutMillis - now)
    // Listens before the request goes out: the answer may arrive before this fiber runs again.
    yield* Effect.raceFirst(arrival(peer.hex), asks ? Effect.andThen(request(session, peer), timeout) : timeout)
    return yield* known(peer.hex)
  })

  /** Waits until the budget allows another answer, and takes it. */
  const spend = Effect.fnUntraced(function* (budget: AnswerBudget) {
    const now = yield* uptimeMillis
    const earned = Math.floor((now - budget.countedAt) / answerRefillMillis)
    budget.left = Math.min(answerBurst, budget.left + earned)
    budget.countedAt = budget.left === answerBurst ? now : budget.countedAt + earned * answerRefillMillis
    if (budget.left === 0) {
      yield* Effect.sleep(budget.countedAt + answerRefillMillis - now)
      budget.countedAt += answerRefillMillis
      budget.left = 1
    }
    budget.left -= 1
  })

  /** Whether a request that was stored then is too old. If our clock says so, the home's clock decides. */
  const isTooOld = Effect.fnUntraced(function* (storedAt: number) {
    const now = yield* Clock.currentTimeMillis
    if (Math.abs(now - storedAt) <= Limits.addressRequestMillis) return false
    const skew = yield* Effect.result(directory.clockSkewMillis)
    return Result.isSuccess(skew) && now + skew.success > storedAt + Limits.addressRequestMillis
  })

  /** Answers the newest request of a contact, if there is one. */
  const answerNewest = Effect.fnUntraced(function* (
    session: Session,
    endpoint: BlobTransport.BlobEndpoint,
    peer: AdmittedKey,
    budget: AnswerBudget
  ) {
    const request = yield* ledger.get(key.asked(peer.hex), Rows.Asked)
    if (request === undefined) return
    const tooOld = (yield* isTooOld(request.at)) ? request.at : undefined
    yield* spend(budget)
    const { direct, relayUrl } = yield* endpoint.addresses
    const addrs = PeerAddresses.dialable(direct)
    const now = yield* Clock.currentTimeMillis
    yield* ledger.transact(
      Effect.fnUntraced(function* (transaction) {
        const row = yield* transaction.get(key.asked(peer.hex), Rows.Asked)
        const contact = yield* transaction.get(key.contact(peer.hex), Rows.Contact)
        transaction.delete(key.asked(peer.hex))
        // They may have been blocked or removed since they asked.
        if (row === undefined || contact?.state !== "accepted" || row.at === tooOld) return
        if (addrs.length === 0 && relayUrl === undefined) return
        const nonce = yield* Effect.fromResult(Bytes.fromBase64Url(row.nonce))
        const relay = relayUrl === undefined ? {} : { relay_url: relayUrl }
        const expiresAt = now + Limits.addressLifetimeMillis
        yield* sendQueue.enqueue(transaction, session, peer, { type: "address", nonce, addrs, ...relay, expiresAt })
      })
    )
  })

  const answer = Effect.fnUntraced(function* (
    session: Session,
    endpoint: BlobTransport.BlobEndpoint,
    lost: () => void
  ) {
    const budgets = new Map<string, AnswerBudget>()
    const budgetOf = (peerHex: string): AnswerBudget => {
      const budget = budgets.get(peerHex) ?? { left: answerBurst, countedAt: -Infinity }
      budgets.set(peerHex, budget)
      return budget
    }
    yield* answers.run({
      ready: () => Effect.asVoid(link.online),
      // A failed request is kept, so the retry finds it.
      retry: Schedule.spaced(retryPause),
      round: Effect.fnUntraced(function* (peerHex) {
        const peer = admitHex(peerHex)
        if (Result.isFailure(peer)) return "idle" as const
        const answered = yield* Effect.result(answerNewest(session, endpoint, peer.success, budgetOf(peerHex)))
        if (Result.isSuccess(answered)) return "idle" as const
        const { failure } = answered
        if (failure._tag !== "BlobTransportError" || failure.reason !== "closed") return yield* failure
        lost()
        return "idle" as const
      })
    })
    for (const entry of yield* ledger.scan({ prefix: Rows.prefix.asked })) {
      answers.wake(entry.key.slice(Rows.prefix.asked.length))
    }
  })

  return {
    /** Takes in a request or an answer from an accepted contact. */
    receive,
    /** The addresses of a contact's device, if an answer named them and has not expired. */
    known,
    /** Asks a contact, once online. Undefined if no answer came within 10 s; {@link arrival} waits for a later one. */
    ask,
    /** Waits for the next answer of a contact. */
    arrival,
    /** Drops the known addresses of a contact whose device was not reached at them. */
    forget: (peerHex: string) => void found.delete(peerHex),
    /** Answers contacts until the scope closes. `lost` is called when the endpoint turns out to be closed. */
    answer
  }
})

export class Addresses extends Context.Service<Addresses>()("@kez-chat/sdk/Addresses", { make }) {}

export const layer = Layer.effect(Addresses, make)
