/** What a user does with contacts: add, look at, accept, block, verify, accept a changed key, forget. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as SafetyNumber from "../../crypto/SafetyNumber.ts"
import * as Handle from "../../protocol/identity/Handle.ts"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import { Problem } from "../../protocol/Problem.ts"
import * as Sigchain from "../../protocol/sigchain/Sigchain.ts"
import { Crypto } from "../../services/Crypto.ts"
import type { Checks } from "./ContactRefresh.ts"
import { type ContactBook, self } from "./ContactBook.ts"
import { hexOf, receiptsFromHere, talk } from "../messaging/Conversations.ts"
import type { Chain, Introductions } from "./IdentityLookup.ts"
import type { Contact, Verification } from "../model/index.ts"
import type { KezChat } from "../KezChat.ts"
import { ContactUnknown, type KezChatError } from "../model/index.ts"
import type { Ledger, Transaction } from "../internal/Ledger.ts"
import type { Outbox } from "../messaging/Outbox.ts"
import * as Rows from "../internal/rows/index.ts"
import * as Trust from "./Trust.ts"

export type Contacts = Pick<
  KezChat["Service"],
  | "addContact"
  | "contacts"
  | "contact"
  | "refreshContact"
  | "verification"
  | "confirmKey"
  | "unconfirmKey"
  | "acceptKey"
  | "keepKey"
  | "accept"
  | "block"
  | "unblock"
  | "removeContact"
>

const place: Record<Contact["state"], number> = { changed: 0, accepted: 0, requested: 1, blocked: 2 }
const byName = (a: Contact, b: Contact): number => (a.handle < b.handle ? -1 : a.handle > b.handle ? 1 : 0)

const admitted = (primary: string): Effect.Effect<AdmittedKey, Problem> =>
  Effect.fromResult(PrimaryKey.parseEd25519(primary))

/** An account that was not accepted is from now on; see `Conversations.receiptsFromHere`. */
const beginReceipts = (transaction: Transaction, row: Rows.ContactRow) =>
  Effect.gen(function* () {
    const counts = yield* talk(transaction, hexOf(row.primary))
    const from = yield* receiptsFromHere(transaction, counts)
    transaction.put(Rows.key.conversation(hexOf(row.primary)), Rows.ConversationCounters, from)
  })

const isOutage = (error: KezChatError): boolean =>
  error._tag === "ServerUnreachable" || (error instanceof Problem && error.code === "unavailable")

const unseen = (primary: string): Chain => ({ state: Sigchain.empty(primary), hashes: [], first: 0, envelopes: [] })

export interface Parts {
  readonly ledger: Ledger
  readonly book: ContactBook
  readonly introductions: Introductions
  readonly checks: Checks
  readonly outbox: Outbox
  readonly account: Effect.Effect<Rows.AccountRow, KezChatError>
}

export const make = Effect.fnUntraced(function* (parts: Parts) {
  const { account, book, checks, introductions, ledger, outbox } = parts
  const crypto = yield* Crypto

  const change = (
    who: string,
    how: (row: Rows.ContactRow, transaction: Transaction) => Effect.Effect<Rows.ContactRow, KezChatError>
  ): Effect.Effect<Contact, KezChatError> =>
    Effect.gen(function* () {
      const row = yield* book.change(who, yield* account, how)
      outbox.wake(hexOf(row.primary))
      return Trust.toContact(row)
    })

  const addContact = Effect.fnUntraced(function* (name: string): Effect.fn.Return<Contact, KezChatError> {
    const mine = yield* account
    const handle = yield* Effect.fromResult(Handle.parseMention(name, mine.server))
    if (handle.server !== mine.server) {
      return yield* new Problem({
        code: "federation_unsupported",
        detail: `${handle.text} lives on ${handle.server}, and this account on ${mine.server}`
      })
    }
    if (handle.text === mine.handle) return Trust.toContact(self(mine))
    const { record } = yield* introductions.byHandle(handle.local, mine.server)
    const pinnedIn = (rows: ReadonlyArray<Rows.ContactRow>) =>
      rows.find(
        (row) =>
          row.resolved && row.handle === handle.text && row.state !== "requested" && row.primary !== record.primary
      )
    const pinned = pinnedIn(yield* book.all)
    if (pinned !== undefined) return yield* checks.now(pinned.primary)
    const contactKey = Rows.key.contact(hexOf(record.primary))
    const before = yield* ledger.get(contactKey, Rows.Contact)
    const chain = yield* introductions.chain(record.primary)
    const now = yield* Clock.currentTimeMillis
    const row = yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        // Asked twice at once, a home may have named two keys: the first one that is kept is pinned.
        const other = pinnedIn(yield* book.bearers(transaction, handle.text))
        if (other !== undefined) return other
        const known = yield* transaction.get(contactKey, Rows.Contact)
        const met = known ?? Trust.meet(hexOf(record.primary), "accepted", now)
        if (known === undefined || known.state === "requested") yield* beginReceipts(transaction, met)
        const named = { ...Trust.accept(met), handle: handle.text, resolved: true }
        const asNamed = Trust.afterRecord(named, record.primary, now)
        const added = yield* Effect.fromResult(Trust.afterChain(asNamed.row, chain, now, before?.claimed))
        yield* unnameOthers(transaction, handle.text, record.primary)
        if (known === undefined) book.save(transaction, added.row)
        book.keep(transaction, known ?? added.row, { ...asNamed, ...added })
        transaction.afterwards(() => outbox.wake(hexOf(record.primary)))
        return added.row
      })
    )
    return row.primary === record.primary ? Trust.toContact(row) : yield* checks.now(row.primary)
  })

  /** A stranger whom the home gave a handle that is now pinned to another key goes by the key again. */
  const unnameOthers = Effect.fnUntraced(function* (transaction: Transaction, handle: string, primary: string) {
    for (const row of yield* book.bearers(transaction, handle)) {
      if (row.primary !== primary && row.state === "requested") book.save(transaction, Trust.unnamed(row))
    }
  })

  const numbered = Effect.fnUntraced(function* (own: AdmittedKey, primary: string) {
    const number = yield* SafetyNumber.of(own, yield* admitted(primary)).pipe(Effect.provideService(Crypto, crypto))
    return { primary, safetyNumber: number.digits, qr: number.qr }
  })

  const verification = Effect.fnUntraced(function* (who: string): Effect.fn.Return<Verification, KezChatError> {
    const mine = yield* account
    const row = yield* book.find(who, mine)
    const { chain, contact } =
      row.primary === mine.primary
        ? { chain: yield* introductions.chain(row.primary), contact: Trust.toContact(row) }
        : yield* Effect.catchIf(
            checks.chain(row.primary),
            // Numbers can be compared without the chain: whoever hides it must not stand in the way.
            isOutage,
            () => Effect.succeed({ chain: unseen(row.primary), contact: Trust.toContact(row) })
          )
    const own = yield* admitted(mine.primary)
    const { offered } = contact
    // A chain may be handed over to a key of another system: such a key has no safety number and cannot be accepted.
    const offer =
      offered === undefined
        ? {}
        : {
            offered: {
              ...offered,
              ...Result.getOrElse(yield* Effect.result(numbered(own, offered.primary)), () => ({}))
            }
          }
    return {
      contact,
      pinned: yield* numbered(own, row.primary),
      ...offer,
      ...(chain.head === undefined ? {} : { head: chain.head }),
      events: chain.envelopes,
      endpoints: chain.state.endpoints,
      claims: chain.state.claims
    }
  })

  /** The record that proves the offered key: the handle's, or, where the old key handed over, the new key's own. */
  const recordOfOffered = Effect.fnUntraced(function* (old: Rows.ContactRow, primary: string, mine: Rows.AccountRow) {
    const current = old.resolved ? yield* checks.record(old, mine.server) : old
    yield* Effect.fromResult(Trust.checkOffered(current, primary))
    if (current.name?.to !== primary) return (yield* introductions.byPrimary(primary, mine.server)).record
    const handle = yield* Effect.fromResult(Handle.parse(current.handle))
    const { record } = yield* introductions.byHandle(handle.local, mine.server)
    // Between two questions the home may have changed its mind.
    yield* Effect.fromResult(Trust.checkOffered(Trust.afterRecord(current, record.primary, 0).row, primary))
    return record
  })

  const acceptKey = Effect.fnUntraced(function* (
    who: string,
    primary: string
  ): Effect.fn.Return<Contact, KezChatError> {
    const mine = yield* account
    const old = yield* book.find(who, mine)
    yield* Effect.fromResult(Trust.checkOffered(old, primary))
    yield* admitted(primary)
    // The new key must itself be registered and shown by its own signature; only then does it take the old one's place.
    const record = yield* recordOfOffered(old, primary, mine)
    const chain = yield* introductions.chain(primary)
    const now = yield* Clock.currentTimeMillis
    const row = yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const current = yield* transaction.get(Rows.key.contact(hexOf(old.primary)), Rows.Contact)
        if (current === undefined) return yield* new ContactUnknown({ who })
        yield* Effect.fromResult(Trust.checkOffered(current, primary))
        const isPinned = (yield* book.bearers(transaction, record.handle)).some(
          (row) => row.state !== "requested" && row.primary !== primary && row.primary !== old.primary
        )
        if (isPinned || record.handle === mine.handle) {
          return yield* new Problem({
            code: "record_invalid",
            detail: `the home says that the new key of ${old.handle} is ${record.handle}, which stands for another key here`
          })
        }
        const met = yield* transaction.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
        const known = met ?? Trust.meet(hexOf(primary), "accepted", now)
        const isBlocked = current.state === "blocked" || known.state === "blocked"
        const open = Trust.accept(Trust.unblock(known))
        const taken = {
          ...(isBlocked ? Trust.block(open) : open),
          handle: record.handle,
          resolved: true,
          verified: false,
          former: [...new Set([...known.former, ...current.former, hexOf(current.primary)])]
        }
        if (met === undefined || met.state === "requested") yield* beginReceipts(transaction, taken)
        const asNamed = Trust.afterRecord(taken, primary, now).row
        const accepted = yield* Effect.fromResult(Trust.afterChain(asNamed, chain, now, undefined))
        yield* outbox.abandon(transaction, hexOf(current.primary), "the contact's key changed before this was sent")
        yield* unnameOthers(transaction, record.handle, primary)
        book.remove(transaction, current)
        book.save(transaction, accepted.row)
        return accepted.row
      })
    )
    return Trust.toContact(row)
  })

  const keepKey = Effect.fnUntraced(function* (who: string): Effect.fn.Return<Contact, KezChatError> {
    const row = yield* book.find(who, yield* account)
    const chain = Trust.needsChainToKeep(row) ? yield* introductions.chain(row.primary) : undefined
    const now = yield* Clock.currentTimeMillis
    return yield* change(row.primary, (current) => Effect.fromResult(Trust.keep(current, chain, now)))
  })

  const block = (who: string) =>
    change(who, (row, transaction) =>
      row.state === "blocked"
        ? Effect.succeed(row)
        : Effect.as(
            outbox.abandon(transaction, hexOf(row.primary), "the contact was blocked before this was sent"),
            Trust.block(row)
          )
    )

  const removeContact = Effect.fnUntraced(function* (who: string, withMessages = false) {
    const mine = yield* account
    const row = yield* book.find(who, mine)
    if (row.primary === mine.primary) return yield* new ContactUnknown({ who })
    const hex = hexOf(row.primary)
    // The counts and ids stay: a sender's count must never start again, and what was deleted must not come back. The
    // contact goes last: cut off before that, this can be called again.
    if (withMessages) for (const each of [hex, ...row.former]) yield* forget(ledger, Rows.prefix.messages(each))
    yield* ledger.transact((transaction) =>
      Effect.andThen(
        outbox.abandon(transaction, hex, "the contact was removed before this was sent"),
        Effect.sync(() => book.remove(transaction, row))
      )
    )
  })

  const contacts: Contacts = {
    addContact,
    contacts: Effect.map(book.all, (rows) =>
      rows.map(Trust.toContact).sort((a, b) => place[a.state] - place[b.state] || byName(a, b))
    ),
    contact: (who) => Effect.flatMap(account, (mine) => Effect.map(book.find(who, mine), Trust.toContact)),
    refreshContact: (who) =>
      Effect.gen(function* () {
        const mine = yield* account
        const row = yield* book.find(who, mine)
        return row.primary === mine.primary ? Trust.toContact(row) : yield* checks.now(row.primary)
      }),
    verification,
    confirmKey: (who, primary) => change(who, (row) => Effect.fromResult(Trust.confirm(row, primary))),
    unconfirmKey: (who) => change(who, (row) => Effect.succeed({ ...row, verified: false })),
    acceptKey,
    keepKey,
    accept: (who) =>
      change(who, (row, transaction) =>
        row.state === "requested" ? Effect.as(beginReceipts(transaction, row), Trust.accept(row)) : Effect.succeed(row)
      ),
    block,
    unblock: (who) => change(who, (row) => Effect.succeed(Trust.unblock(row))),
    removeContact
  }
  return contacts
})

/** Deletes everything under a prefix, some at a time. */
export const forget = (ledger: Ledger, prefix: string): Effect.Effect<void, KezChatError> =>
  Effect.gen(function* () {
    while (true) {
      const entries = yield* ledger.scan({ prefix, limit: 1_000 })
      if (entries.length === 0) return
      yield* ledger.transact((transaction) =>
        Effect.sync(() => {
          for (const entry of entries) transaction.delete(entry.key)
        })
      )
    }
  })
