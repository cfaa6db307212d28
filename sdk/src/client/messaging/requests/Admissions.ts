/**
 * Decides about strangers whose mail is held: looks for an introduction, checks the proofs that count, and lets in those
 * whom the inbox policy admits. A service that cannot be asked admits nobody; it is asked again (spec/proofs.md,
 * Policies).
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type * as Scope from "effect/Scope"
import { Handle } from "../../../protocol/index.ts"
import { hexOf, ofHex } from "../../../protocol/identity/PrimaryKey.ts"
import type { Crypto } from "../../../services/Crypto.ts"
import { ClaimBook, ClaimState } from "../../claims/index.ts"
import { ContactBook, ContactRefresh, IdentityLookup, Trust } from "../../contacts/index.ts"
import { BrokerClock } from "../../internal/BrokerClock.ts"
import { CurrentAccount } from "../../internal/CurrentAccount.ts"
import { Events } from "../../internal/Events.ts"
import * as KeyedWorker from "../../internal/KeyedWorker.ts"
import { Ledger, type LedgerError, type Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import { readSettings } from "../../internal/Settings.ts"
import type { Admission, NoAccount, Settings } from "../../model/index.ts"
import { Proofs } from "../../proofs/index.ts"
import { Inbox } from "../Inbox.ts"
import { HeldMail } from "./HeldMail.ts"
import * as InboxPolicy from "./InboxPolicy.ts"
import { Introductions } from "./Introductions.ts"

const hour = 60 * 60 * 1_000
const day = 24 * hour

/** Held mail is dropped when nothing of the stranger came for this long. */
const keepMillis = 30 * day
/** Between two looks at a stranger without a proof that counts; new mail has them looked at after an hour. */
const rejectedMillis = day
/** While the stranger's sigchain cannot be fetched. */
const retryMillis = 15 * 60 * 1_000
/** Between two looks for strangers whose time has come. */
const lookMillis = 60_000

type Verdict = Pick<Rows.HeldSenderRow, "sentence" | "verdict" | "nextCheckAt">

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const book = yield* ContactBook
  const brokerClock = yield* BrokerClock
  const claimBook = yield* ClaimBook
  const events = yield* Events
  const held = yield* HeldMail
  const inbox = yield* Inbox
  const introductions = yield* Introductions
  const lookup = yield* IdentityLookup
  const proofs = yield* Proofs
  const refresh = yield* ContactRefresh
  const worker = KeyedWorker.make()

  /**
   * Shows the held mail of a stranger, as if it had just arrived. In one transaction, so that no message is held back
   * after the last one was taken in and before the stranger is known.
   */
  const letIn = Effect.fnUntraced(function* (
    transaction: Transaction,
    session: Session,
    hex: string,
    admission?: Admission
  ) {
    for (const { key, row } of yield* held.frames(transaction, hex)) {
      yield* inbox.takeHeld(transaction, session, key, row, admission)
    }
    yield* held.end(transaction, hex)
  })

  /** The contact of a stranger who has none although the user decides about them. */
  const newContact = (hex: string) =>
    Effect.map(Clock.currentTimeMillis, (now) => Trust.newContact(hex, "requested", now))

  const isContact = (hex: string) =>
    Effect.map(ledger.get(Rows.key.contact(hex), Rows.Contact), (row) => row !== undefined)

  const admissionByProof = Effect.fnUntraced(function* (primary: string, settings: Settings) {
    const now = yield* Clock.currentTimeMillis
    const proven = (yield* claimBook.of(primary)).find((row) => InboxPolicy.counts(row, settings, now))
    if (proven?.lastGoodAt === undefined) return undefined
    const admission: Admission = { by: "proof", subject: proven.subject, checkedAt: proven.lastGoodAt }
    return admission
  })

  /** Why none of the claims lets a stranger in. */
  const verdictOf = (rows: ReadonlyArray<Rows.ClaimRow>, settings: Settings, now: number): Verdict => {
    const counting = rows.filter(({ subject }) => InboxPolicy.mayCount(subject, settings))
    const claims = ClaimState.ofStranger(counting).map((row) => ClaimState.toClaim(row, now))
    const open = claims.filter(({ state, nextCheckAt }) => state !== "broken" && nextCheckAt !== undefined)
    if (open.length > 0) {
      const sentence = open.map((claim) => `${claim.subject} is not proven: ${claim.sentence}`).join("; ")
      const times = open.map(({ nextCheckAt }) => nextCheckAt ?? now + retryMillis)
      return { verdict: "waiting", sentence, nextCheckAt: Math.max(now + lookMillis, Math.min(...times)) }
    }
    const sentence =
      claims.length === 0
        ? `they have not claimed what you ask for: ${InboxPolicy.wanted(settings)}`
        : claims.map((claim) => `${claim.subject}: ${claim.sentence}`).join("; ")
    return { verdict: "rejected", sentence, nextCheckAt: now + rejectedMillis }
  }

  /** Checks what counts of a stranger's claims; the admission, or why there is none. */
  const judge = Effect.fnUntraced(function* (
    hex: string,
    settings: Settings
  ): Effect.fn.Return<Admission | Verdict, LedgerError, Crypto> {
    const primary = ofHex(hex)
    const now = yield* Clock.currentTimeMillis
    if (settings.inbox === "contacts") {
      const sentence = "no contact of yours has introduced them"
      return { verdict: "rejected", sentence, nextCheckAt: now + rejectedMillis }
    }
    const stranger = Trust.toContact(Trust.newContact(hex, "requested", now))
    const chain = yield* Effect.result(lookup.chain(primary))
    if (Result.isFailure(chain)) {
      const sentence = `their sigchain cannot be fetched now: ${chain.failure.message}`
      return { verdict: "waiting", sentence, nextCheckAt: now + retryMillis }
    }
    if (chain.success.state.rotatedTo !== undefined) {
      const sentence = "they handed their key over to another, which they write with now"
      return { verdict: "rejected", sentence, nextCheckAt: now + rejectedMillis }
    }
    yield* ledger.transact((transaction) =>
      claimBook.sync(transaction, stranger, chain.success.state.claims, { silent: true })
    )
    const counting = (yield* claimBook.of(primary)).filter(({ subject }) => InboxPolicy.mayCount(subject, settings))
    const due = ClaimState.ofStranger(counting).filter(
      (row) =>
        !InboxPolicy.counts(row, settings, now) &&
        ((row.nextCheckAt ?? Infinity) <= now || now - (row.checkedAt ?? 0) >= hour)
    )
    yield* Effect.forEach(due, (row) => proofs.checkStored(stranger, row, { silent: true }), {
      concurrency: 4,
      discard: true
    })
    return (
      (yield* admissionByProof(primary, settings)) ??
      verdictOf(yield* claimBook.of(primary), settings, yield* Clock.currentTimeMillis)
    )
  })

  /** The handle that the home server proves for a stranger, where it can be asked. */
  const handleOf = Effect.fnUntraced(function* (hex: string) {
    const { server } = yield* account.get
    const found = yield* Effect.result(lookup.byPrimary(ofHex(hex), server))
    if (Result.isFailure(found)) return {}
    const { handle } = found.success.record
    // A contact may bear it with another key: then the contact's key is checked, and the user told (KEZ-SEQ-045).
    for (const row of yield* book.all) {
      const isBorne = row.resolved && row.handle === handle && hexOf(row.primary) !== hex
      if (isBorne && row.state !== "blocked") refresh.enqueue(row.primary)
    }
    return { handle }
  })

  const decide = (session: Session) =>
    Effect.fnUntraced(function* (hex: string): Effect.fn.Return<"idle", LedgerError | NoAccount, Crypto> {
      const sender = yield* held.get(hex)
      if (sender === undefined) return "idle"
      const settings = yield* readSettings(ledger)
      // A contact by now, or nobody is kept out any more.
      const isOpen = InboxPolicy.forStrangers(settings) === "show"
      if (isOpen || (yield* isContact(hex))) {
        yield* ledger.transact((transaction) => letIn(transaction, session, hex))
        return "idle"
      }
      // By the clock of the home server, because that of the device may be wrong.
      if ((yield* brokerClock.age(sender.lastAt)) >= keepMillis) {
        yield* ledger.transact((transaction) => held.expire(transaction, hex))
        return "idle"
      }
      const introduced = settings.introductions ? yield* introductions.admitting(hex) : undefined
      const found = introduced ?? (yield* judge(hex, settings))
      if ("by" in found) {
        yield* ledger.transact((transaction) => letIn(transaction, session, hex, found))
        return "idle"
      }
      const named = sender.handle === undefined ? yield* handleOf(hex) : {}
      yield* held.judge(hex, { ...found, ...named })
      return "idle"
    })

  const wakeDue = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const { id, row } of yield* held.senders) {
      const isOld = (yield* brokerClock.age(row.lastAt)) >= keepMillis
      if (isOld || row.nextCheckAt <= now || (yield* isContact(id))) worker.wake(id)
    }
  })

  /** The stranger whose mail is held whom a name stands for (hex). A contact of that name is meant first. */
  const find = Effect.fnUntraced(function* (who: string) {
    const mine = yield* account.get
    const name = who.trim()
    const known = yield* Effect.catchTag(book.find(name, mine), "ContactUnknown", () => Effect.undefined)
    const mention = Handle.parseMention(name, mine.server)
    const wanted = known?.primary ?? (Result.isSuccess(mention) ? mention.success.text : undefined)
    for (const { id, row } of yield* held.senders) {
      const primary = ofHex(id)
      if (primary === name || primary === known?.primary) return id
      if (known === undefined && wanted !== undefined && (yield* held.nameOf(id, row)) === wanted) return id
    }
    return undefined
  })

  return {
    /** Decides about strangers until the scope closes. */
    run: (session: Session): Effect.Effect<void, never, Crypto | Scope.Scope> =>
      Effect.gen(function* () {
        yield* worker.run({
          round: decide(session),
          retry: KeyedWorker.backoff("5 seconds", "5 minutes"),
          concurrency: 4
        })
        held.onNotice(worker.wake)
        // Who becomes a contact, as by being added, is let in.
        const contacts = Stream.runForEach(events.stream, (event) =>
          Effect.sync(() => {
            if (event._tag === "Contact") worker.wake(hexOf(event.contact.primary))
          })
        )
        yield* Effect.forkScoped(contacts, { startImmediately: true })
        yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.ignore(wakeDue), Effect.sleep(lookMillis))))
      }),
    /** Decides about all of them anew, as after a change of the policy. */
    reconsider: Effect.map(held.senders, (senders) => {
      for (const { id } of senders) worker.wake(id)
    }),
    /** The primary key of the stranger whose mail is held whom a name stands for. */
    find: (who: string) => Effect.map(find(who), (hex) => (hex === undefined ? undefined : ofHex(hex))),
    /** Lets a stranger in whatever the policy says. */
    letIn: (session: Session, primary: string) =>
      ledger.transact(
        Effect.fnUntraced(function* (transaction: Transaction) {
          const hex = hexOf(primary)
          yield* letIn(transaction, session, hex)
          if (yield* transaction.has(Rows.key.contact(hex))) return
          // Nothing of the mail could be opened.
          book.save(transaction, yield* newContact(hex))
          transaction.onCommit(() => refresh.enqueue(primary))
        })
      ),
    /** Makes a stranger a blocked contact, of whom nothing is shown. */
    block: Effect.fnUntraced(function* (primary: string) {
      const hex = hexOf(primary)
      yield* ledger.transact(
        Effect.fnUntraced(function* (transaction: Transaction) {
          const isKnown = yield* transaction.has(Rows.key.contact(hex))
          if (!isKnown) book.save(transaction, Trust.block(yield* newContact(hex)))
          yield* held.discard(transaction, hex)
        })
      )
      refresh.enqueue(primary)
    }),
    /** Drops the held mail of a stranger; whether there was any. */
    discard: Effect.fnUntraced(function* (who: string) {
      const hex = yield* find(who)
      if (hex !== undefined) yield* ledger.transact((transaction) => held.discard(transaction, hex))
      return hex !== undefined
    })
  }
})

export class Admissions extends Context.Service<Admissions>()("@kez-chat/sdk/Admissions", { make }) {}

export const layer = Layer.effect(Admissions, make)
