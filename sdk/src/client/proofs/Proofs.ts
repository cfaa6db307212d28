/**
 * Checks the claims of contacts and of the account itself: in the background at a gentle pace, sooner for a profile
 * that is looked at, and on demand for anybody.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { Identifier } from "../../protocol/index.ts"
import { hexOf, parseEd25519 } from "../../protocol/identity/PrimaryKey.ts"
import { ClaimBook, ClaimState, type Due, ProofCheck, type Saving } from "../claims/index.ts"
import { ContactBook, ContactRefresh, Contacts, IdentityLookup, self, Trust } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import * as KeyedWorker from "../internal/KeyedWorker.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { type Contact, ProofRefused, type Verification } from "../model/index.ts"

/** Between two looks for claims whose time has come. */
const lookMillis = 30_000
/** Until a claim is looked at again that is not checked now, such as that of a request, which the user may accept. */
const againMillis = 60 * 60_000

/** Strangers choose the hosts that their claims have asked: only the user's own contacts are checked unasked. */
const isWatched = ({ state }: Contact): boolean => state === "accepted" || state === "changed"

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const book = yield* ContactBook
  const claimBook = yield* ClaimBook
  const contacts = yield* Contacts
  const lookup = yield* IdentityLookup
  const proofCheck = yield* ProofCheck
  const refresh = yield* ContactRefresh
  const worker = KeyedWorker.make()

  /** The account itself or a contact; undefined for others. */
  const contactOf = Effect.fnUntraced(function* (primary: string) {
    const mine = yield* account.get
    if (primary === mine.primary) return Trust.toContact(self(mine))
    const row = yield* ledger.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
    return row === undefined ? undefined : Trust.toContact(row)
  })

  /** Stores what a check found of a claim, unless the chain took it back meanwhile. */
  const record = Effect.fnUntraced(function* (
    contact: Contact,
    subject: string,
    finding: ClaimState.Finding,
    saving?: Saving
  ) {
    const now = yield* Clock.currentTimeMillis
    const jitter = yield* Random.next
    yield* ledger.transact((transaction) =>
      Effect.map(claimBook.get(transaction, contact.primary, subject), (row) => {
        if (row === undefined || row.revoked) return
        claimBook.save(transaction, contact, row, ClaimState.afterCheck(row, finding, now, jitter), now, saving)
      })
    )
  })

  /** Checks a stored claim, unless its service asked to wait. */
  const checkStored = Effect.fnUntraced(function* (
    contact: Contact,
    { nextCheckAt, retryAt, revoked, subject }: Rows.ClaimRow,
    saving?: Saving
  ) {
    if (revoked || nextCheckAt === undefined || (retryAt !== undefined && retryAt > (yield* Clock.currentTimeMillis)))
      return
    yield* record(contact, subject, yield* proofCheck.check(contact.primary, subject), saving)
  })

  const claimsOf = Effect.fnUntraced(function* (primary: string) {
    const now = yield* Clock.currentTimeMillis
    return (yield* claimBook.of(primary)).map((row) => ClaimState.toClaim(row, now))
  })

  /** Fetches the chain and stores what it claims. */
  const syncChain = Effect.fnUntraced(function* (contact: Contact) {
    const mine = yield* account.get
    if (contact.primary !== mine.primary) return yield* refresh.chain(contact.primary)
    const chain = yield* lookup.chain(contact.primary)
    yield* ledger.transact((transaction) => claimBook.sync(transaction, contact, chain.state.claims))
  })

  /** A contact, or the key of somebody who is none. */
  const find = Effect.fnUntraced(function* (who: string) {
    const found = yield* Effect.result(book.find(who, yield* account.get))
    if (Result.isSuccess(found)) return Trust.toContact(found.success)
    if (found.failure._tag !== "ContactUnknown") return yield* found.failure
    if (Result.isSuccess(parseEd25519(who.trim()))) return who.trim()
    return (yield* contacts.lookUp(who)).primary
  })

  /** The claims of somebody who is no contact: nothing is stored. */
  const ofStranger = Effect.fnUntraced(function* (primary: string, isChecked: (subject: string) => boolean) {
    const chain = yield* lookup.chain(primary)
    const now = yield* Clock.currentTimeMillis
    const { checked, kept } = ClaimState.newest(chain.state.claims)
    return yield* Effect.forEach(
      [...kept].sort((a, b) => a.seq - b.seq),
      Effect.fnUntraced(function* (claim) {
        const row = ClaimState.afterChain(undefined, claim, checked.has(claim), now)
        if (!checked.has(claim) || !isChecked(claim.subject)) return ClaimState.toClaim(row, now)
        const finding = yield* proofCheck.check(primary, claim.subject)
        const after = yield* Clock.currentTimeMillis
        const { nextCheckAt: _, ...found } = ClaimState.afterCheck(row, finding, after, 0)
        return ClaimState.toClaim(found, after)
      }),
      { concurrency: 8 }
    )
  })

  const only = (subject: string | undefined) => (other: string) =>
    subject === undefined || Identifier.same(subject, other) || subject === other

  const checkProofs = Effect.fn("checkProofs")(function* (who: string, subject?: string) {
    const contact = yield* find(who)
    const isWanted = only(subject)
    const claims = yield* typeof contact === "string"
      ? ofStranger(contact, isWanted)
      : Effect.gen(function* () {
          // What is stored can be checked without the chain.
          yield* Effect.ignore(syncChain(contact))
          const rows = (yield* claimBook.of(contact.primary)).filter((row) => isWanted(row.subject))
          yield* Effect.forEach(rows, (row) => checkStored(contact, row), { concurrency: 8, discard: true })
          return yield* claimsOf(contact.primary)
        })
    const wanted = claims.filter((claim) => isWanted(claim.subject))
    if (subject !== undefined && wanted.length === 0) {
      return yield* new ProofRefused({ subject, reason: "unknown", detail: `the sigchain of ${who} does not claim it` })
    }
    return wanted
  })

  const dueNow = (due: Due, now: number) => due.at <= now

  /** Checks the claim of a service that waits longest. */
  const round = Effect.fnUntraced(function* (lane: string) {
    const now = yield* Clock.currentTimeMillis
    let next: Due | undefined
    for (const due of claimBook.due()) {
      if (due.lane === lane && dueNow(due, now) && (next === undefined || due.at < next.at)) next = due
    }
    if (next === undefined) return "idle"
    const contact = yield* contactOf(next.primary)
    const row = yield* claimBook.get(ledger, next.primary, next.subject)
    if (row === undefined || row.revoked) {
      claimBook.forget(next)
      return "again"
    }
    const { retryAt = 0 } = row
    claimBook.postpone(next, retryAt > now ? retryAt : now + againMillis)
    if (contact !== undefined && (isWatched(contact) || (next.isWanted === true && contact.state !== "blocked"))) {
      yield* checkStored(contact, row)
    }
    return "again"
  })

  const wakeDue = Effect.map(Clock.currentTimeMillis, (now) => {
    for (const due of claimBook.due()) if (dueNow(due, now)) worker.wake(due.lane)
  })

  return {
    isSystem: proofCheck.isSystem,
    /** What is known of the claims of a contact, of the account itself or, freshly read from the chain, of anybody. */
    proofs: Effect.fn("proofs")(function* (who?: string) {
      const mine = yield* account.get
      const contact = yield* find(who ?? mine.primary)
      if (typeof contact === "string") return yield* ofStranger(contact, () => false)
      const claims = yield* claimsOf(contact.primary)
      if (claims.length > 0 || contact.primary !== mine.primary) return claims
      // A device that has just restored the account has not read its chain yet.
      yield* Effect.ignore(syncChain(contact))
      return yield* claimsOf(contact.primary)
    }),
    checkProofs,
    record,
    contactOf,
    syncChain,
    claimsOf,
    checkStored,
    /** Has the claims of a profile that is looked at checked in the background, if the last check is an hour old. */
    lookedAt: Effect.fnUntraced(function* ({ contact: { primary } }: Verification) {
      const now = yield* Clock.currentTimeMillis
      for (const row of yield* claimBook.of(primary)) {
        if (ClaimState.isDueOnProfile(row, now)) claimBook.hasten(primary, row)
      }
    }),
    /** Runs the background checks until the scope closes. */
    run: Effect.gen(function* () {
      yield* worker.run({ round, retry: KeyedWorker.backoff("30 seconds", "10 minutes"), concurrency: 16 })
      claimBook.onDue(worker.wake)
      yield* claimBook.load
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(wakeDue, Effect.sleep(lookMillis))))
    })
  }
})

/** See the members of `KezChat` with these names. */
export class Proofs extends Context.Service<Proofs>()("@kez-chat/sdk/Proofs", { make }) {}

export const layer = Layer.effect(Proofs, make)
