/** What a user does with contacts: add, look at, accept, block, verify, accept a changed key, forget. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SafetyNumber from "../crypto/SafetyNumber.ts"
import * as Handle from "../protocol/Handle.ts"
import type { AdmittedKey } from "../protocol/KeyAdmission.ts"
import * as PrimaryKey from "../protocol/PrimaryKey.ts"
import { Problem } from "../protocol/Problem.ts"
import { Crypto } from "../services/Crypto.ts"
import type { Checks } from "./Checks.ts"
import { type ContactBook, self } from "./ContactBook.ts"
import { hexOf, receiptsFromHere, talk } from "./Conversations.ts"
import type { Introductions } from "./Introductions.ts"
import type { Contact, KezChat, Verification } from "./KezChat.ts"
import { ContactUnknown, type KezChatError } from "./KezChatError.ts"
import type { Ledger, Transaction } from "./Ledger.ts"
import type { Outbox } from "./Outbox.ts"
import * as Rows from "./Rows.ts"
import * as Trust from "./Trust.ts"

export type Contacts = Pick<
  KezChat["Service"],
  | "addContact"
  | "contacts"
  | "contact"
  | "refreshContact"
  | "verification"
  | "setVerified"
  | "acceptKey"
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
    transaction.put(Rows.key.talk(hexOf(row.primary)), Rows.Talk, from)
  })

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
    const pinned = (yield* book.all).find(
      (row) => row.resolved && row.handle === handle.text && row.state !== "requested" && row.primary !== record.primary
    )
    if (pinned !== undefined) return yield* checks.now(pinned.primary)
    const contactKey = Rows.key.contact(hexOf(record.primary))
    const before = yield* ledger.get(contactKey, Rows.Contact)
    const chain = yield* introductions.chain(record.primary)
    const now = yield* Clock.currentTimeMillis
    const row = yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const known = yield* transaction.get(contactKey, Rows.Contact)
        const named = {
          ...(known ?? Trust.meet(hexOf(record.primary), "accepted", now)),
          handle: handle.text,
          resolved: true
        }
        if (known === undefined || named.state === "requested") yield* beginReceipts(transaction, named)
        const added = yield* Effect.fromResult(Trust.afterChain(Trust.accept(named), chain, now, before?.claimed))
        book.save(transaction, added)
        return added
      })
    )
    return Trust.toContact(row)
  })

  const verification = Effect.fnUntraced(function* (who: string): Effect.fn.Return<Verification, KezChatError> {
    const mine = yield* account
    const row = yield* book.find(who, mine)
    const { chain, contact } =
      row.primary === mine.primary
        ? { chain: yield* introductions.chain(row.primary), contact: Trust.toContact(row) }
        : yield* checks.chain(row.primary)
    const number = yield* Effect.provideService(
      SafetyNumber.of(yield* admitted(mine.primary), yield* admitted(row.primary)),
      Crypto,
      crypto
    )
    return {
      contact,
      safetyNumber: number.digits,
      qr: number.qr,
      ...(chain.head === undefined ? {} : { head: chain.head }),
      events: chain.envelopes,
      endpoints: chain.state.endpoints,
      claims: chain.state.claims
    }
  })

  const acceptKey = Effect.fnUntraced(function* (who: string): Effect.fn.Return<Contact, KezChatError> {
    const mine = yield* account
    const old = yield* book.find(who, mine)
    const now = yield* Clock.currentTimeMillis
    if (old.changedTo === undefined) {
      const chain = yield* introductions.chain(old.primary)
      return yield* change(who, (row) => Effect.fromResult(Trust.acceptChain(row, chain, now)))
    }
    // The new key must itself be registered and shown by its own signature; only then does it take the old one's place.
    const { record } = yield* introductions.byPrimary(old.changedTo, mine.server)
    const pinned = (yield* book.all).some(
      ({ handle, primary, resolved }) =>
        resolved && handle === record.handle && primary !== record.primary && primary !== old.primary
    )
    if (pinned || record.handle === mine.handle) {
      return yield* new Problem({
        code: "record_invalid",
        detail: `the home says that the new key of ${old.handle} is ${record.handle}, which stands for another key here`
      })
    }
    const chain = yield* introductions.chain(record.primary)
    const row = yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const met = yield* transaction.get(Rows.key.contact(hexOf(record.primary)), Rows.Contact)
        const blocked = old.state === "blocked" || met?.state === "blocked"
        const fresh: Rows.ContactRow = {
          ...(met ?? Trust.meet(hexOf(record.primary), "accepted", now)),
          handle: record.handle,
          resolved: true,
          ...(blocked ? { state: "blocked", before: "accepted" } : { state: "accepted" }),
          former: [...old.former, hexOf(old.primary)]
        }
        if (met === undefined || met.state === "requested") yield* beginReceipts(transaction, fresh)
        const accepted = yield* Effect.fromResult(Trust.acceptChain(fresh, chain, now))
        yield* outbox.abandon(transaction, hexOf(old.primary), "the contact's key changed before this was sent")
        book.remove(transaction, old)
        book.save(transaction, accepted)
        return accepted
      })
    )
    return Trust.toContact(row)
  })

  const block = (who: string) =>
    change(who, (row, transaction) =>
      row.state === "blocked"
        ? Effect.succeed(row)
        : Effect.as(outbox.abandon(transaction, hexOf(row.primary), "the contact was blocked before this was sent"), {
            ...row,
            state: "blocked" as const,
            before: row.state
          })
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
    setVerified: (who, verified) => change(who, (row) => Effect.succeed({ ...row, verified })),
    acceptKey,
    accept: (who) =>
      change(who, (row, transaction) =>
        row.state === "requested" ? Effect.as(beginReceipts(transaction, row), Trust.accept(row)) : Effect.succeed(row)
      ),
    block,
    unblock: (who) =>
      change(who, (row) => {
        const { before, ...rest } = row
        return Effect.succeed(row.state === "blocked" ? { ...rest, state: before ?? "requested" } : row)
      }),
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
