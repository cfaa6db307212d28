/** The use cases of contacts: add, find, refresh, verify, accept, block, decide about a changed key, remove. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as SafetyNumber from "../../crypto/SafetyNumber.ts"
import { Handle, Sigchain } from "../../protocol/index.ts"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import { hexOf, parseEd25519 } from "../../protocol/identity/PrimaryKey.ts"
import { Problem } from "../../protocol/Problem.ts"
import { ClaimBook, ClaimState } from "../claims/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { deleteAll, Ledger, type Transaction } from "../internal/Ledger.ts"
import type { Chain } from "../internal/OwnSigchain.ts"
import * as Rows from "../internal/rows/index.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import type { Session } from "../internal/Session.ts"
import type { Contact } from "../model/index.ts"
import { ContactUnknown, type KezChatError } from "../model/index.ts"
import { ContactBook, self } from "./ContactBook.ts"
import { ContactRefresh } from "./ContactRefresh.ts"
import { IdentityLookup } from "./IdentityLookup.ts"
import * as Trust from "./Trust.ts"

const rank: Record<Contact["state"], number> = { changed: 0, accepted: 0, requested: 1, blocked: 2 }
const byName = (a: Contact, b: Contact): number => (a.handle < b.handle ? -1 : a.handle > b.handle ? 1 : 0)

const admitted = (primary: string): Effect.Effect<AdmittedKey, Problem> => Effect.fromResult(parseEd25519(primary))

const isOutage = (error: KezChatError): boolean =>
  error._tag === "ServerUnreachable" || (error instanceof Problem && error.code === "unavailable")

/** The server of a handle, unless it is the account's own home. */
const homeOf = ({ server }: Handle.Handle, mine: Rows.AccountRow): string | undefined =>
  server === mine.server ? undefined : server

/** In place of a chain that cannot be fetched. */
const unseen = (primary: string): Chain => ({ state: Sigchain.empty(primary), hashes: [], first: 0, envelopes: [] })

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const book = yield* ContactBook
  const claimBook = yield* ClaimBook
  const lookup = yield* IdentityLookup
  const refresh = yield* ContactRefresh
  const sendQueue = yield* SendQueue

  const change = Effect.fnUntraced(function* (
    who: string,
    how: (row: Rows.ContactRow, transaction: Transaction) => Effect.Effect<Rows.ContactRow, KezChatError>
  ) {
    const row = yield* book.change(who, yield* account.get, how)
    sendQueue.wake(hexOf(row.primary))
    return Trust.toContact(row)
  })

  const lookUp = Effect.fn("lookUp")(function* (name: string) {
    const mine = yield* account.get
    const handle = yield* Effect.fromResult(Handle.parseMention(name, mine.server))
    if (handle.text === mine.handle) return { handle: mine.handle, primary: mine.primary }
    const { primary } = (yield* lookup.byHandle(handle, homeOf(handle, mine))).record
    const known = yield* ledger.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
    return { handle: handle.text, primary, ...(known === undefined ? {} : { contact: Trust.toContact(known) }) }
  })

  const addContact = Effect.fn("addContact")(function* (name: string) {
    const mine = yield* account.get
    const handle = yield* Effect.fromResult(Handle.parseMention(name, mine.server))
    const home = homeOf(handle, mine)
    if (handle.text === mine.handle) return Trust.toContact(self(mine))
    const { record } = yield* lookup.byHandle(handle, home)
    // The same words can have a handle at several homes.
    if (record.primary === mine.primary) return Trust.toContact(self(mine))
    const pinnedIn = (rows: ReadonlyArray<Rows.ContactRow>) =>
      rows.find(
        (row) =>
          row.resolved && row.handle === handle.text && row.state !== "requested" && row.primary !== record.primary
      )
    const pinned = pinnedIn(yield* book.all)
    if (pinned !== undefined) return yield* refresh.now(pinned.primary)
    const contactKey = Rows.key.contact(hexOf(record.primary))
    const before = yield* ledger.get(contactKey, Rows.Contact)
    // Here they can be written to: a handle elsewhere must not replace theirs.
    if (home !== undefined && before?.resolved === true && before.home === undefined) {
      return yield* change(record.primary, (row) => Effect.succeed(Trust.accept(row)))
    }
    const chain = yield* lookup.chain(record.primary, home)
    const now = yield* Clock.currentTimeMillis
    const row = yield* ledger.transact(
      Effect.fnUntraced(function* (transaction: Transaction) {
        // Two concurrent calls may have been answered with two keys: the first one that is stored is pinned.
        const other = pinnedIn(yield* book.bearers(transaction, handle.text))
        if (other !== undefined) return other
        const known = yield* transaction.get(contactKey, Rows.Contact)
        const met = known ?? Trust.newContact(hexOf(record.primary), "accepted", now)
        const named = Trust.named(Trust.accept(met), handle.text, home)
        const asNamed = Trust.afterRecord(named, record.primary, now)
        const added = yield* Effect.fromResult(Trust.afterChain(asNamed.row, chain, now, before?.claimed))
        yield* unnameOthers(transaction, handle.text, record.primary)
        if (known === undefined) book.save(transaction, added.row)
        book.keep(transaction, known ?? added.row, { ...asNamed, ...added })
        yield* claimBook.sync(transaction, Trust.toContact(added.row), chain.state.claims)
        transaction.onCommit(() => sendQueue.wake(hexOf(record.primary)))
        return added.row
      })
    )
    return row.primary === record.primary ? Trust.toContact(row) : yield* refresh.now(row.primary)
  })

  /** Strangers lose a handle that is now pinned to another key. */
  const unnameOthers = Effect.fnUntraced(function* (transaction: Transaction, handle: string, primary: string) {
    for (const row of yield* book.bearers(transaction, handle)) {
      if (row.primary !== primary && row.state === "requested") book.save(transaction, Trust.unnamed(row))
    }
  })

  const numbered = Effect.fnUntraced(function* (own: AdmittedKey, primary: string) {
    const number = yield* SafetyNumber.of(own, yield* admitted(primary))
    return { primary, safetyNumber: number.digits, qr: number.qr }
  })

  const ownChain = Effect.fnUntraced(function* (own: Rows.ContactRow) {
    const chain = yield* lookup.chain(own.primary)
    yield* ledger.transact((transaction) => claimBook.sync(transaction, Trust.toContact(own), chain.state.claims))
    return chain
  })

  const verification = Effect.fn("verification")(function* (who: string) {
    const mine = yield* account.get
    const row = yield* book.find(who, mine)
    const { chain, contact } =
      row.primary === mine.primary
        ? { chain: yield* ownChain(row), contact: Trust.toContact(row) }
        : yield* Effect.catchIf(
            refresh.chain(row.primary),
            // Safety numbers can be compared without the chain, so hiding it must not prevent that.
            isOutage,
            () => Effect.succeed({ chain: unseen(row.primary), contact: Trust.toContact(row) })
          )
    const own = yield* admitted(mine.primary)
    const now = yield* Clock.currentTimeMillis
    const { offered } = contact
    // A chain may rotate to a key of another system, which has no safety number and cannot be accepted.
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
      claims: (yield* claimBook.of(row.primary)).map((claim) => ClaimState.toClaim(claim, now))
    }
  })

  /** The record that proves the offered key: that of the handle, or after a rotation that of the new key. */
  const recordOfOffered = Effect.fnUntraced(function* (old: Rows.ContactRow, primary: string, mine: Rows.AccountRow) {
    const current = old.resolved ? yield* refresh.record(old) : old
    yield* Effect.fromResult(Trust.checkOffered(current, primary))
    if (current.name?.to !== primary) {
      return (yield* lookup.byPrimary(primary, current.home ?? mine.server, current.home)).record
    }
    const handle = yield* Effect.fromResult(Handle.parse(current.handle))
    const { record } = yield* lookup.byHandle(handle, current.home)
    // The home server may have answered differently this time.
    yield* Effect.fromResult(Trust.checkOffered(Trust.afterRecord(current, record.primary, 0).row, primary))
    return record
  })

  /** The keys that a contact handed over to, one after the other. */
  const lineOf = ({ chain, home, primary }: Rows.ContactRow) =>
    chain?.to === undefined
      ? Effect.succeed([])
      : Effect.flatMap(lookup.chain(primary, home), ({ state }) => lookup.line(state.rotatedTo, home))

  const acceptKey = Effect.fn("acceptKey")(function* (session: Session, who: string, primary: string) {
    const mine = yield* account.get
    const old = yield* book.find(who, mine)
    yield* Effect.fromResult(Trust.checkOffered(old, primary))
    const next = yield* admitted(primary)
    // The new key replaces the old one only if it is registered by its own signature.
    const record = yield* recordOfOffered(old, primary, mine)
    const chain = yield* lookup.chain(primary, old.home)
    const line = yield* lineOf(old)
    const now = yield* Clock.currentTimeMillis
    const row = yield* ledger.transact(
      Effect.fnUntraced(function* (transaction: Transaction) {
        const current = yield* transaction.get(Rows.key.contact(hexOf(old.primary)), Rows.Contact)
        if (current === undefined) return yield* new ContactUnknown({ who })
        yield* Effect.fromResult(Trust.checkOffered(current, primary))
        const isHandedOver = Trust.toContact(current).offered?.origin === "handed_over"
        const isPinned = (yield* book.bearers(transaction, record.handle)).some(
          (row) => row.state !== "requested" && row.primary !== primary && row.primary !== old.primary
        )
        if (isPinned || record.handle === mine.handle) {
          return yield* new Problem({
            code: "record_invalid",
            detail: `the home server gives the new key of ${old.handle} the handle of another key: ${record.handle}`
          })
        }
        const met = yield* transaction.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
        const known = met ?? Trust.newContact(hexOf(primary), "accepted", now)
        const passed = isHandedOver ? yield* book.passed(transaction, line, primary) : []
        const isBlocked = current.state === "blocked" || known.state === "blocked"
        const open = Trust.accept(Trust.unblock(known))
        const taken = {
          ...Trust.named(isBlocked ? Trust.block(open) : open, record.handle, current.home),
          verified: false,
          former: [...new Set([...known.former, ...passed, ...current.former, hexOf(current.primary)])]
        }
        const asNamed = Trust.afterRecord(taken, primary, now).row
        const accepted = yield* Effect.fromResult(Trust.afterChain(asNamed, chain, now, undefined))
        yield* unnameOthers(transaction, record.handle, primary)
        book.remove(transaction, current)
        yield* claimBook.remove(transaction, current.primary)
        book.save(transaction, accepted.row)
        const oldHex = hexOf(current.primary)
        if (isHandedOver && accepted.row.state === "accepted") {
          yield* book.retire(transaction, [...passed, oldHex, ...current.former], hexOf(primary), now)
          yield* sendQueue.readdress(transaction, session, oldHex, next)
        } else yield* sendQueue.abandon(transaction, oldHex, "the contact's key changed before this was sent")
        yield* claimBook.sync(transaction, Trust.toContact(accepted.row), chain.state.claims)
        transaction.onCommit(() => sendQueue.wake(hexOf(primary)))
        return accepted.row
      })
    )
    return Trust.toContact(row)
  })

  const keepKey = Effect.fn("keepKey")(function* (who: string) {
    const row = yield* book.find(who, yield* account.get)
    const chain = Trust.needsChainToKeep(row) ? yield* lookup.chain(row.primary, row.home) : undefined
    const now = yield* Clock.currentTimeMillis
    return yield* change(row.primary, (current) => Effect.fromResult(Trust.keep(current, chain, now)))
  })

  const block = (who: string) =>
    change(who, (row, transaction) =>
      row.state === "blocked"
        ? Effect.succeed(row)
        : Effect.as(
            sendQueue.abandon(transaction, hexOf(row.primary), "the contact was blocked before this was sent"),
            Trust.block(row)
          )
    )

  const removeContact = Effect.fn("removeContact")(function* (who: string, withMessages = false) {
    const mine = yield* account.get
    const row = yield* book.find(who, mine)
    if (row.primary === mine.primary) return yield* new ContactUnknown({ who })
    const hex = hexOf(row.primary)
    // Counters and seen ids stay: sequence numbers must never restart, and deleted messages must not come back. The
    // contact goes last, so that an interrupted call can be repeated.
    if (withMessages) {
      for (const each of [hex, ...row.former]) {
        yield* deleteAll(ledger, Rows.prefix.messages(each))
        yield* deleteAll(ledger, Rows.prefix.receipts(each))
      }
    }
    yield* ledger.transact(
      Effect.fnUntraced(function* (transaction: Transaction) {
        yield* sendQueue.abandon(transaction, hex, "the contact was removed before this was sent")
        yield* claimBook.remove(transaction, row.primary)
        for (const each of [hex, ...row.former]) transaction.delete(Rows.key.draft(each))
        book.remove(transaction, row)
      })
    )
  })

  return {
    lookUp,
    addContact,
    contacts: Effect.map(book.all, (rows) =>
      rows.map(Trust.toContact).sort((a, b) => rank[a.state] - rank[b.state] || byName(a, b))
    ),
    contact: (who: string) => Effect.flatMap(account.get, (mine) => Effect.map(book.find(who, mine), Trust.toContact)),
    refreshContact: Effect.fn("refreshContact")(function* (who: string) {
      const mine = yield* account.get
      const row = yield* book.find(who, mine)
      return row.primary === mine.primary ? Trust.toContact(row) : yield* refresh.now(row.primary)
    }),
    verification,
    confirmKey: (who: string, primary: string) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        change(who, (row) => Effect.fromResult(Trust.confirm(row, primary, now)))
      ),
    unconfirmKey: (who: string) => change(who, (row) => Effect.succeed({ ...row, verified: false })),
    acceptKey,
    keepKey,
    accept: (who: string) => change(who, (row) => Effect.succeed(row.state === "requested" ? Trust.accept(row) : row)),
    block,
    unblock: (who: string) => change(who, (row) => Effect.succeed(Trust.unblock(row))),
    removeContact
  }
})

/** See the members of `KezChat` with these names. */
export class Contacts extends Context.Service<Contacts>()("@kez-chat/sdk/Contacts", { make }) {}

export const layer = Layer.effect(Contacts, make)
