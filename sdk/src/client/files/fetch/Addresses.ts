/**
 * Where devices can be found: contacts ask each other by messages that nobody is shown (spec: addresses).
 *
 * Who fetches asks, and takes the answer however late it comes, as long as this process lives. Who serves answers accepted
 * contacts, and when serving begins also the newest request that each of them made within a day: so a fetch that waits
 * goes on within seconds of the owner's return.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type * as Body from "../../../protocol/messages/Body.ts"
import * as Bytes from "../../../protocol/encoding/Bytes.ts"
import { admitHex, type AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import * as Limits from "../../../protocol/Limits.ts"
import type { Problem } from "../../../protocol/Problem.ts"
import type { Addresses as Where, BlobEndpoint } from "../../../services/BlobTransport.ts"
import { Crypto } from "../../../services/Crypto.ts"
import { Directory } from "../../../services/Directory.ts"
import type { StoreError } from "../../../services/LocalStore.ts"
import { BrokerClock, uptimeMillis } from "../../internal/BrokerClock.ts"
import { Ledger, type LedgerError, type Transaction } from "../../internal/Ledger.ts"
import { BrokerLink } from "../../internal/BrokerLink.ts"
import { SendQueue } from "../../internal/SendQueue.ts"
import * as PeerAddresses from "./PeerAddresses.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"

const { key } = Rows

/** How long an answer is waited for before the owner counts as away. */
const patienceMillis = 10_000

/** Requests older than this are not answered any more, and answers to them not believed. */
const requestAgeMillis = 24 * 60 * 60 * 1000

/** Answers to one contact: so many at once, and then one in this time. */
const answersAtOnce = 8
const answerSpacingMillis = 15_000

/** Requests to one contact that may still be answered. */
const openRequests = 16

/** When a body was signed by its author's clock, and stored by the broker's; milliseconds since the epoch. */
interface Times {
  readonly createdAt: number
  readonly arrivedAt: number
}

export class Addresses extends Context.Service<
  Addresses,
  {
    /** Takes a request or an answer of an accepted contact in. */
    receive(
      transaction: Transaction,
      peerHex: string,
      body: Body.AddressRequest | Body.Address,
      times: Times
    ): Effect.Effect<void, StoreError>
    /** Where a contact's device was found lately. */
    known(peerHex: string): Effect.Effect<Where | undefined>
    /** Asks a contact, while online. Undefined where no answer came within 10 s; {@link arrival} tells of a later one. */
    ask(session: Session, peer: AdmittedKey): Effect.Effect<Where | undefined, Problem | LedgerError, Crypto>
    /** Waits for the next answer of a contact. */
    arrival(peerHex: string): Effect.Effect<void>
    /** Nobody could be reached there. */
    forget(peerHex: string): void
    /** Answers contacts while the scope is open. `lost` is called when the endpoint turns out to be closed. */
    answer(
      session: Session,
      endpoint: BlobEndpoint,
      lost: () => void
    ): Effect.Effect<void, StoreError, Scope.Scope | Crypto>
  }
>()("@kez-chat/sdk/Addresses") {}

/** One contact that we answer. */
interface Asker {
  running: boolean
  /** Another request came while one was answered. */
  again: boolean
  answersLeft: number
  /** When `answersLeft` was counted, by {@link uptimeMillis}. */
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
  const found = new Map<string, { readonly where: Where; readonly until: number }>()
  /** The nonces of our requests that no answer has used up, and when each was made by {@link uptimeMillis}; by contact. */
  const asked = new Map<string, Map<string, number>>()
  const askedAt = new Map<string, number>()
  const waiting = new Map<string, Set<Deferred.Deferred<void>>>()
  let start: ((peerHex: string) => void) | undefined

  /** Takes an answer that counts for `lifeMillis` from `now`. */
  const take = (peerHex: string, body: Body.Address, now: number, lifeMillis: number): void => {
    if (lifeMillis <= 0) return
    const nonce = Bytes.toBase64Url(body.nonce)
    const at = asked.get(peerHex)?.get(nonce)
    asked.get(peerHex)?.delete(nonce)
    if (at === undefined || now > at + requestAgeMillis) return
    const relayUrl =
      body.relay_url !== undefined && PeerAddresses.isRelay(body.relay_url) ? { relayUrl: body.relay_url } : {}
    const where: Where = { direct: PeerAddresses.dialable(body.addrs), ...relayUrl }
    if (where.direct.length === 0 && where.relayUrl === undefined) return
    found.set(peerHex, { where, until: now + lifeMillis })
    askedAt.delete(peerHex)
    for (const waiter of waiting.get(peerHex) ?? []) Deferred.doneUnsafe(waiter, Effect.void)
  }

  const receive: Addresses["Service"]["receive"] = Effect.fnUntraced(function* (transaction, peerHex, body, times) {
    const { arrivedAt, createdAt } = times
    if (body.type === "address") {
      // By the author's clock alone, and then by the broker's: whether either agrees with ours does not matter.
      const meant = Math.min(Limits.addressLifetimeMillis, body.expiresAt - createdAt)
      const lifeMillis = meant - (yield* brokerClock.age(arrivedAt))
      const now = yield* uptimeMillis
      return transaction.onCommit(() => take(peerHex, body, now, lifeMillis))
    }
    const before = yield* transaction.get(key.asked(peerHex), Rows.Asked)
    if (before !== undefined && before.at > arrivedAt) return
    transaction.put(key.asked(peerHex), Rows.Asked, { nonce: Bytes.toBase64Url(body.nonce), at: arrivedAt })
    transaction.onCommit(() => start?.(peerHex))
  })

  const known: Addresses["Service"]["known"] = (peerHex) =>
    Effect.map(uptimeMillis, (now) => {
      const held = found.get(peerHex)
      if (held !== undefined && held.until > now) return held.where
      found.delete(peerHex)
      return undefined
    })

  const arrival: Addresses["Service"]["arrival"] = (peerHex) =>
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
    if (nonces.size > openRequests) nonces.delete(nonces.keys().next().value!)
    yield* ledger.transact((transaction) =>
      sendQueue.enqueue(transaction, session, peer, { type: "address_request", nonce })
    )
  })

  const ask: Addresses["Service"]["ask"] = Effect.fnUntraced(function* (session, peer) {
    yield* link.online
    const now = yield* uptimeMillis
    // Fetches of several files of one owner ask once.
    const asks = now >= (askedAt.get(peer.hex) ?? -Infinity) + patienceMillis
    if (asks) askedAt.set(peer.hex, now)
    const patience = Effect.sleep((askedAt.get(peer.hex) ?? now) + patienceMillis - now)
    // Listening before the request goes out: an answer may be faster than this fiber.
    yield* Effect.raceFirst(arrival(peer.hex), asks ? Effect.andThen(request(session, peer), patience) : patience)
    return yield* known(peer.hex)
  })

  /** Waits until a contact may be answered once more. */
  const mayAnswer = Effect.fnUntraced(function* (asker: Asker) {
    const now = yield* uptimeMillis
    const earned = Math.floor((now - asker.countedAt) / answerSpacingMillis)
    asker.answersLeft = Math.min(answersAtOnce, asker.answersLeft + earned)
    asker.countedAt = asker.answersLeft === answersAtOnce ? now : asker.countedAt + earned * answerSpacingMillis
    if (asker.answersLeft === 0) {
      yield* Effect.sleep(asker.countedAt + answerSpacingMillis - now)
      asker.countedAt += answerSpacingMillis
      asker.answersLeft = 1
    }
    asker.answersLeft -= 1
  })

  /** Whether a request that was stored then is too old. Where our clock says so, the home's own is asked. */
  const isTooOld = Effect.fnUntraced(function* (storedAt: number) {
    const now = yield* Clock.currentTimeMillis
    if (Math.abs(now - storedAt) <= requestAgeMillis) return false
    const skew = yield* Effect.result(directory.clockSkewMillis)
    return Result.isSuccess(skew) && now + skew.success > storedAt + requestAgeMillis
  })

  /** Answers the newest request of a contact, if there is one. */
  const answerOne = Effect.fnUntraced(function* (
    session: Session,
    endpoint: BlobEndpoint,
    peer: AdmittedKey,
    asker: Asker
  ) {
    const request = yield* ledger.get(key.asked(peer.hex), Rows.Asked)
    if (request === undefined) return
    const tooOld = (yield* isTooOld(request.at)) ? request.at : undefined
    yield* mayAnswer(asker)
    const where = yield* endpoint.addresses
    const addrs = PeerAddresses.dialable(where.direct)
    const now = yield* Clock.currentTimeMillis
    yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const row = yield* transaction.get(key.asked(peer.hex), Rows.Asked)
        const contact = yield* transaction.get(key.contact(peer.hex), Rows.Contact)
        transaction.delete(key.asked(peer.hex))
        // They may have been blocked, or forgotten, since they asked.
        if (row === undefined || contact?.state !== "accepted" || row.at === tooOld) return
        if (addrs.length === 0 && where.relayUrl === undefined) return
        const nonce = yield* Effect.fromResult(Bytes.fromBase64Url(row.nonce))
        const relay = where.relayUrl === undefined ? {} : { relay_url: where.relayUrl }
        const expiresAt = now + Limits.addressLifetimeMillis
        yield* sendQueue.enqueue(transaction, session, peer, { type: "address", nonce, addrs, ...relay, expiresAt })
      })
    )
  })

  const answer: Addresses["Service"]["answer"] = Effect.fnUntraced(function* (session, endpoint, lost) {
    const fork = yield* FiberSet.makeRuntime<Crypto>()
    const askers = new Map<string, Asker>()
    const answerAsker = Effect.fnUntraced(function* (peer: AdmittedKey, asker: Asker) {
      do {
        asker.again = false
        yield* link.online
        const answered = yield* Effect.result(answerOne(session, endpoint, peer, asker))
        if (Result.isSuccess(answered)) continue
        if (answered.failure._tag === "BlobTransportError" && answered.failure.reason === "closed") {
          lost()
          break
        }
        // The request is kept, and tried again like everything that the store or the network would not take just now.
        yield* Effect.sleep(5_000)
        asker.again = true
      } while (asker.again)
      asker.running = false
    })
    const startHere = (peerHex: string): void => {
      const asker = askers.get(peerHex) ?? {
        running: false,
        again: false,
        answersLeft: answersAtOnce,
        countedAt: -Infinity
      }
      askers.set(peerHex, asker)
      asker.again = true
      const peer = admitHex(peerHex)
      if (asker.running || Result.isFailure(peer)) return
      asker.running = true
      fork(answerAsker(peer.success, asker))
    }
    start = startHere
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (start === startHere) start = undefined
      })
    )
    for (const entry of yield* ledger.scan({ prefix: Rows.prefix.asked })) {
      startHere(entry.key.slice(Rows.prefix.asked.length))
    }
  })

  return Addresses.of({
    receive,
    known,
    ask,
    arrival,
    forget: (peerHex) => void found.delete(peerHex),
    answer
  })
})

export const layer: Layer.Layer<Addresses, never, Ledger | SendQueue | BrokerClock | BrokerLink | Crypto | Directory> =
  Layer.effect(Addresses, make)
