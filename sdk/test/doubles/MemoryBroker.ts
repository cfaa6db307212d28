/**
 * A home server's broker inside the test process: many accounts, one stream, and switches for what goes wrong.
 *
 * It keeps the rules that clients lean on (one stream sequence for all accounts, deduplication by (recipient, Kez-Id),
 * pages from a cursor, an epoch) and passes the same kit as the real adapters. Faults act from the moment they are set.
 */
import { type Cause, Deferred, Effect, Layer, Queue, Stream, SubscriptionRef } from "effect"
import * as BrokerAnswer from "../../src/protocol/broker/BrokerAnswer.ts"
import type { AdmittedKey } from "../../src/protocol/identity/KeyAdmission.ts"
import type { Page } from "../../src/protocol/broker/Page.ts"
import { Problem } from "../../src/protocol/Problem.ts"
import type * as Trim from "../../src/protocol/broker/Trim.ts"
import {
  Broker,
  type BrokerConnection,
  type BrokerLogin,
  BrokerRefused,
  BrokerUnavailable,
  type ConnectionState,
  type Delivered,
  type RefusalCode
} from "../../src/services/Broker.ts"

interface Stored {
  readonly seq: number
  readonly owner: string
  readonly subject: "inbox" | "self"
  readonly lastSeq: number
  readonly timeMillis: number
  readonly frame: Uint8Array
}

interface Session {
  readonly account: string
  readonly state: SubscriptionRef.SubscriptionRef<ConnectionState>
  readonly listeners: Set<Queue.Queue<Delivered, Cause.Done>>
  held: Delivered | undefined
  /** Set while the connection is dead and its client does not know it; done when the client notices. */
  dead: Deferred.Deferred<void> | undefined
}

/** What goes wrong, for every account or only for `account` (hex). All off at first. */
export interface Faults {
  /** Live deliveries for which this answers true never arrive (they stay in the stream). */
  dropLive: (delivered: Delivered, account: string) => boolean
  /** Each live delivery arrives twice. */
  duplicateLive: boolean
  /** Live deliveries arrive in swapped pairs. */
  reorderLive: boolean
  /** The frame is stored, but the sender learns only of a timeout. As many sends as this number says. */
  loseAcks: number
  /** The next sends are refused with these codes, one each. */
  refuse: Array<RefusalCode>
  /** Until when the refusals above hold, as the home says it; milliseconds since the epoch. */
  refusedUntil: number | undefined
  /** What the home signs for a send that asks for it; nothing unless said otherwise. */
  sign: (recipient: AdmittedKey, frame: Uint8Array) => BrokerAnswer.Signed | undefined
  /** The next trim and block requests get no answer. As many as this number says. */
  loseRequests: number
  /** The next fetches give a page that was made for another request. */
  foreignPages: number
  /** Most frames in a page. */
  pageSize: number
}

export interface MemoryBroker {
  readonly layer: Layer.Layer<Broker>
  readonly faults: Faults
  /** Takes the broker (or one account's connections) away, and brings it back. */
  setOnline(online: boolean, account?: AdmittedKey): void
  /** Nothing passes over open connections any more, as after sleep; only a check notices it. */
  silence(): void
  /** Refuses logins of an account and closes its connections, as after a revocation; or takes that back. */
  setAuthorized(account: AdmittedKey, authorized: boolean): void
  /** Closes the connections of an account (hex), whose clients connect again. */
  kick(hex: string): void
  /** Sends to an unregistered account are refused with `unknown`. Accounts count as registered unless said otherwise. */
  setRegistered(account: AdmittedKey, registered: boolean): void
  /** Stores a frame as if somebody had sent it: to plant garbage, or a message from a client that is not under test. */
  store(recipient: AdmittedKey, frame: Uint8Array, subject?: "inbox" | "self"): number
  /** Frames with a sequence number of at most `seq` have expired. */
  expire(seq: number): void
  /** The stream was made anew: other epoch, sequence numbers from 1; its frames are gone unless `keep`. */
  newEpoch(keep?: boolean): void
  /** What an account's inbox and self copies hold now, oldest first. */
  stored(account: AdmittedKey): ReadonlyArray<Stored>
  /** Whether `owner` has `who` blocked here. */
  hasBlocked(owner: AdmittedKey, who: AdmittedKey): boolean
  /** Forgets all block lists, as a home does that was restored from an older backup. */
  forgetBlocks(): void
  /** How many block requests came, for tests that count. */
  readonly blockRequests: () => number
  /** How often clients asked for a page, for tests that count. */
  readonly fetches: () => number
}

const silentError = new BrokerUnavailable({ reason: "unreachable", detail: "no answer in time" })

/** A broker of its own; `now` gives milliseconds since the epoch (default the machine's clock). */
export const makeMemoryBroker = (options?: {
  readonly now?: () => number
  readonly inboxBytes?: number
  /** Whether a key (hex) handed its handle over. */
  readonly isMoved?: (hex: string) => boolean
}): MemoryBroker => {
  const now = options?.now ?? Date.now
  const isMoved = options?.isMoved ?? (() => false)
  const faults: Faults = {
    dropLive: () => false,
    duplicateLive: false,
    reorderLive: false,
    loseAcks: 0,
    refuse: [],
    refusedUntil: undefined,
    sign: () => undefined,
    loseRequests: 0,
    foreignPages: 0,
    pageSize: 512
  }
  const sessions = new Set<Session>()
  const offline = new Set<string>()
  const unauthorized = new Set<string>()
  const unregistered = new Set<string>()
  const seen = new Set<string>()
  const blocked = new Set<string>()
  const trimmedAt = new Map<string, number>()
  const inboxBytes = options?.inboxBytes ?? 32 * 1024 ** 2
  let blockRequests = 0
  let allOffline = false
  let log: Array<Stored> = []
  let lastSeq = 0
  let epochs = 0
  let fetches = 0
  const epoch = () => Buffer.alloc(16, epochs + 1).toString("base64url")

  const outage = (account: string): BrokerUnavailable | undefined =>
    unauthorized.has(account)
      ? new BrokerUnavailable({ reason: "unauthorized", detail: "the login was refused" })
      : allOffline || offline.has(account)
        ? new BrokerUnavailable({ reason: "unreachable", detail: "connection refused" })
        : undefined

  const refresh = (session: Session) => {
    const error = outage(session.account)
    const state = SubscriptionRef.getUnsafe(session.state)
    if (error !== undefined && (state._tag !== "Offline" || state.error.reason !== error.reason)) {
      session.held = undefined
      Effect.runSync(SubscriptionRef.set(session.state, { _tag: "Offline", since: now(), error }))
    } else if (error === undefined && state._tag !== "Online") {
      Effect.runSync(SubscriptionRef.set(session.state, { _tag: "Online", since: now(), url: "memory://broker" }))
    }
  }
  const refreshAll = () => {
    for (const session of sessions) refresh(session)
  }

  const offer = (session: Session, delivered: Delivered) => {
    for (const listener of session.listeners) Queue.offerUnsafe(listener, delivered)
  }
  const deliver = (session: Session, delivered: Delivered) => {
    if (
      session.dead !== undefined ||
      outage(session.account) !== undefined ||
      faults.dropLive(delivered, session.account)
    )
      return
    const copies = faults.duplicateLive ? [delivered, delivered] : [delivered]
    for (const copy of copies) {
      if (faults.reorderLive && session.held === undefined) {
        session.held = copy
      } else {
        offer(session, copy)
        if (session.held !== undefined) offer(session, session.held)
        session.held = undefined
      }
    }
  }

  const append = (owner: string, frame: Uint8Array, subject: "inbox" | "self"): number => {
    const previous = log.findLast((entry) => entry.owner === owner && entry.subject === subject)
    lastSeq += 1
    const entry: Stored = {
      seq: lastSeq,
      owner,
      subject,
      lastSeq: previous?.seq ?? 0,
      timeMillis: now(),
      frame: frame.slice()
    }
    log.push(entry)
    const { owner: _, ...delivered } = entry
    for (const session of sessions) if (session.account === owner) deliver(session, delivered)
    return lastSeq
  }

  const send = (from: string, recipient: string, kezId: string, frame: Uint8Array) =>
    Effect.gen(function* () {
      const error = outage(from)
      if (error !== undefined) return yield* error
      const refusal =
        faults.refuse.shift() ??
        (isMoved(from) ? "retry" : undefined) ??
        (isMoved(recipient) ? "moved" : undefined) ??
        (unregistered.has(recipient)
          ? "unknown"
          : !/^[A-Za-z0-9_-]{22}$/.test(kezId)
            ? "bad"
            : frame.length < 1 || frame.length > 65_536
              ? "size"
              : undefined)
      if (refusal !== undefined) {
        return yield* new BrokerRefused({
          code: refusal,
          retryable: BrokerAnswer.isRetryable(refusal),
          ...(faults.refusedUntil === undefined ? {} : { untilMillis: faults.refusedUntil })
        })
      }
      const id = `${recipient}.${kezId}`
      if (!seen.has(id)) {
        seen.add(id)
        if (!blocked.has(recipient + from)) append(recipient, frame, from === recipient ? "self" : "inbox")
      }
      if (faults.loseAcks > 0) {
        faults.loseAcks -= 1
        return yield* new BrokerUnavailable({ reason: "timeout", detail: "no answer in time" })
      }
    })

  const fetch = (account: string, after: number, known?: string) =>
    Effect.suspend((): Effect.Effect<Page, BrokerRefused | BrokerUnavailable | Problem> => {
      fetches += 1
      const error = outage(account)
      if (error !== undefined) return Effect.fail(error)
      if (faults.foreignPages > 0) {
        faults.foreignPages -= 1
        return Effect.fail(new Problem({ code: "page_malformed", detail: "made for another request" }))
      }
      // As the real responder does: a cursor of another epoch means nothing here, and the client starts again.
      const from = known !== undefined && known !== epoch() ? 0 : after
      const rest = log.filter((entry) => entry.owner === account && entry.seq > from)
      if (rest.length === 0 && isMoved(account)) {
        return Effect.fail(new BrokerRefused({ code: "moved", retryable: false }))
      }
      const page: Page = {
        epoch: epoch(),
        last: lastSeq,
        pending: Math.max(0, rest.length - faults.pageSize),
        frames: rest.slice(0, faults.pageSize).map(({ seq, timeMillis, frame }) => ({ seq, timeMillis, frame }))
      }
      return Effect.succeed(page)
    })

  const unanswered = (account: string): BrokerUnavailable | undefined => {
    const error = outage(account)
    if (error !== undefined || faults.loseRequests === 0) return error
    faults.loseRequests -= 1
    return new BrokerUnavailable({ reason: "timeout", detail: "no answer in time" })
  }

  const trim = (account: string, box: Trim.Box, remove?: { readonly upTo: number; readonly epoch: string }) =>
    Effect.gen(function* () {
      const error = unanswered(account)
      if (error !== undefined) return yield* error
      if (isMoved(account)) return yield* new BrokerRefused({ code: "bad", retryable: false })
      if (remove !== undefined) {
        if (remove.epoch !== epoch() || remove.upTo < 1 || remove.upTo > lastSeq) {
          return yield* new BrokerRefused({ code: "bad", retryable: false })
        }
        const next = (trimmedAt.get(account) ?? -Infinity) + 60_000
        if (next > now()) return yield* new BrokerRefused({ code: "slow", retryable: true, untilMillis: next })
        trimmedAt.set(account, now())
        log = log.filter((entry) => entry.owner !== account || entry.subject !== box || entry.seq > remove.upTo)
      }
      const left = log.filter((entry) => entry.owner === account && entry.subject === box)
      const used = left.reduce((sum, entry) => sum + Math.max(512, entry.frame.length), 0)
      const report: Trim.Report = {
        epoch: epoch(),
        used,
        limit: inboxBytes,
        ...(box === "inbox" ? { strangers: { used: 0, limit: inboxBytes / 8 } } : {}),
        ...(left[0] === undefined ? {} : { oldestMillis: Math.floor(left[0].timeMillis / 1000) * 1000 })
      }
      return report
    })

  const block = (account: string, op: "add" | "remove", who: string) =>
    Effect.gen(function* () {
      blockRequests += 1
      const error = unanswered(account)
      if (error !== undefined) return yield* error
      if (who === account || isMoved(account)) return yield* new BrokerRefused({ code: "bad", retryable: false })
      if (op === "add") blocked.add(account + who)
      else blocked.delete(account + who)
    })

  const connect = (login: BrokerLogin) =>
    Effect.gen(function* () {
      const account = login.account.hex
      const state = yield* SubscriptionRef.make<ConnectionState>({ _tag: "Connecting", since: now() })
      const session: Session = { account, state, listeners: new Set(), held: undefined, dead: undefined }
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          sessions.add(session)
          refresh(session)
        }),
        () =>
          Effect.gen(function* () {
            sessions.delete(session)
            for (const listener of session.listeners) Queue.endUnsafe(listener)
            yield* SubscriptionRef.set(state, { _tag: "Closed", since: now() })
          })
      )
      const whileOpen = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | BrokerUnavailable> =>
        Effect.suspend((): Effect.Effect<A, E | BrokerUnavailable> =>
          sessions.has(session)
            ? session.dead === undefined
              ? effect
              : Effect.flatMap(Deferred.await(session.dead), () => Effect.fail(silentError))
            : Effect.fail(new BrokerUnavailable({ reason: "closed", detail: "the connection was closed" }))
        )
      const connection: BrokerConnection = {
        state: SubscriptionRef.changes(state).pipe(Stream.takeUntil((value) => value._tag === "Closed")),
        send: (recipient, kezId, frame, isSigned = false) =>
          Effect.map(whileOpen(send(account, recipient.hex, kezId, frame)), () =>
            isSigned ? faults.sign(recipient, frame) : undefined
          ),
        fetch: (after, known) => whileOpen(fetch(account, after, known)),
        trim: (box, remove) => whileOpen(trim(account, box, remove)),
        block: (op, who) => whileOpen(block(account, op, who.hex)),
        check: Effect.suspend(() => {
          if (session.dead === undefined) return Effect.void
          Deferred.doneUnsafe(session.dead, Effect.void)
          session.dead = undefined
          return Effect.map(SubscriptionRef.set(state, { _tag: "Offline", since: now(), error: silentError }), () =>
            refresh(session)
          )
        }),
        get live() {
          const queue = Effect.runSync(Queue.sliding<Delivered, Cause.Done>(512))
          session.listeners.add(queue)
          return Stream.fromQueue(queue).pipe(Stream.ensuring(Effect.sync(() => session.listeners.delete(queue))))
        }
      }
      return connection
    })

  return {
    layer: Layer.succeed(Broker, Broker.of({ connect })),
    faults,
    setOnline: (online, account) => {
      if (account === undefined) allOffline = !online
      else if (online) offline.delete(account.hex)
      else offline.add(account.hex)
      refreshAll()
    },
    silence: () => {
      for (const session of sessions) session.dead = Deferred.makeUnsafe()
    },
    setAuthorized: (account, authorized) => {
      if (authorized) unauthorized.delete(account.hex)
      else unauthorized.add(account.hex)
      refreshAll()
    },
    kick: (hex) => {
      offline.add(hex)
      refreshAll()
      offline.delete(hex)
      refreshAll()
    },
    setRegistered: (account, registered) => {
      if (registered) unregistered.delete(account.hex)
      else unregistered.add(account.hex)
    },
    store: (recipient, frame, subject = "inbox") => append(recipient.hex, frame, subject),
    expire: (seq) => {
      log = log.filter((entry) => entry.seq > seq)
    },
    newEpoch: (keep = false) => {
      const old = keep ? log : []
      epochs += 1
      lastSeq = 0
      log = []
      seen.clear()
      for (const entry of old) append(entry.owner, entry.frame, entry.subject)
    },
    stored: (account) => log.filter((entry) => entry.owner === account.hex),
    hasBlocked: (owner, who) => blocked.has(owner.hex + who.hex),
    forgetBlocks: () => blocked.clear(),
    blockRequests: () => blockRequests,
    fetches: () => fetches
  }
}
