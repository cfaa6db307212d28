/** The stored contacts, found by handle, mention or key. `Trust` decides what is believed of them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Handle from "../../protocol/identity/Handle.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import { hexOf } from "../../protocol/identity/PrimaryKey.ts"
import type { StoreError } from "../../services/LocalStore.ts"
import { Events } from "../internal/Events.ts"
import { Ledger, scanRows, type Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Event } from "../model/index.ts"
import { ContactUnknown } from "../model/index.ts"
import * as Trust from "./Trust.ts"

/** The account itself as a contact: the peer of notes to self. */
export const self = (account: Rows.AccountRow): Rows.ContactRow => ({
  handle: account.handle,
  primary: account.primary,
  resolved: true,
  state: "accepted",
  verified: true,
  ...(account.head === undefined ? {} : { head: account.head }),
  reachable: true,
  former: account.former ?? [],
  addedAt: account.createdAt
})

// Of two keys with one handle the stopped one comes first, so that nobody writes to the other unaware.
const rank: Record<Rows.ContactRow["state"], number> = { changed: 0, accepted: 1, blocked: 2, requested: 3 }

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events

  // A cache, read once and updated on commit, so that finding a contact needs no scan.
  let loaded: Map<string, Rows.ContactRow> | undefined
  let changes = 0

  const book: Effect.Effect<ReadonlyMap<string, Rows.ContactRow>, StoreError> = Effect.suspend(() => {
    if (loaded !== undefined) return Effect.succeed(loaded)
    const before = changes
    return Effect.flatMap(scanRows(ledger, { prefix: Rows.prefix.contacts }, Rows.Contact), (rows) => {
      // A commit during the scan may have made it stale.
      if (changes !== before) return book
      return Effect.succeed((loaded ??= new Map(rows.map(({ row }) => [row.primary, row]))))
    })
  })

  const find = (who: string, account: Rows.AccountRow) =>
    Effect.gen(function* () {
      const rows = yield* book
      const name = who.trim()
      const mention = Handle.parseMention(name, account.server)
      const handle = Result.isSuccess(mention) ? mention.success.text : undefined
      const isOwnKey = account.former?.some((hex) => PrimaryKey.ofHex(hex) === name) === true
      if (name === account.primary || isOwnKey || handle === account.handle) return self(account)
      const byKey =
        rows.get(name) ?? [...rows.values()].find((row) => row.former.some((hex) => PrimaryKey.ofHex(hex) === name))
      if (byKey !== undefined) return byKey
      const named = [...rows.values()].filter((row) => row.resolved && row.handle === handle)
      const best = named.sort((a, b) => rank[a.state] - rank[b.state])[0]
      return best ?? (yield* new ContactUnknown({ who: name }))
    })

  const save = (transaction: Transaction, row: Rows.ContactRow) => {
    transaction.put(Rows.key.contact(hexOf(row.primary)), Rows.Contact, row)
    transaction.onCommit(() => {
      changes += 1
      loaded?.set(row.primary, row)
      events.publish({ _tag: "Contact", contact: Trust.toContact(row) })
    })
  }

  const keep = (transaction: Transaction, before: Rows.ContactRow, { notice, row }: Trust.Judged) => {
    if (row !== before && !Equal.equals(row, before)) save(transaction, row)
    if (notice === undefined) return
    const contact = Trust.toContact(row)
    const event: Record<NonNullable<typeof notice>, Event> = {
      changed: { _tag: "KeyChanged", contact },
      healed: { _tag: "KeyHealed", contact, detail: Trust.healedBy(before, row) },
      offered: { _tag: "KeyOffered", contact }
    }
    transaction.onCommit(() => events.publish(event[notice]))
  }

  /** Removes a contact and publishes `ContactRemoved`. */
  const remove = (transaction: Transaction, row: Rows.ContactRow) => {
    transaction.delete(Rows.key.contact(hexOf(row.primary)))
    transaction.onCommit(() => {
      changes += 1
      loaded?.delete(row.primary)
      events.publish({ _tag: "ContactRemoved", contact: Trust.toContact(row) })
    })
  }

  return {
    all: Effect.map(book, (rows) => [...rows.values()]),
    /**
     * Finds a contact by handle, mention (`@chris`, `chris`) or primary key; the account itself is one. Of several with
     * one handle, one that the user decided about comes first.
     */
    find,
    /** The contacts with a proven handle, including writes staged before this transaction, which `all` does not see. */
    bearers: (transaction: Transaction, handle: string) =>
      Effect.map(scanRows(transaction, { prefix: Rows.prefix.contacts }, Rows.Contact), (rows) =>
        rows.map(({ row }) => row).filter((row) => row.resolved && row.handle === handle)
      ),
    /** Stores a contact and publishes `Contact`. */
    save,
    /** Stores a contact if `judged` differs from `before`, and publishes the event of its notice. */
    keep,
    /** Removes handles from strangers that an earlier version gave them although a contact bears the handle. */
    unnameStrangers: Effect.gen(function* () {
      const rows = [...(yield* book).values()].filter(({ resolved }) => resolved)
      const pinned = new Set(rows.filter(({ state }) => state !== "requested").map(({ handle }) => handle))
      const strangers = rows.filter(({ handle, state }) => state === "requested" && pinned.has(handle))
      if (strangers.length === 0) return
      yield* ledger.transact((transaction) =>
        Effect.sync(() => {
          for (const row of strangers) save(transaction, Trust.unnamed(row))
        })
      )
    }),
    /** Clears the cache, after the store was emptied. */
    reset: () => {
      changes += 1
      loaded = undefined
    },
    /** Notes that keys (hex) were handed over, one after the other, to the key `to` of a contact. */
    retire: Effect.fnUntraced(function* (
      transaction: Transaction,
      keys: ReadonlyArray<string>,
      to: string,
      now: number
    ) {
      for (const hex of keys) {
        const before = yield* transaction.get(Rows.key.retired(hex), Rows.Retired)
        transaction.put(Rows.key.retired(hex), Rows.Retired, { to, at: before?.at ?? now })
      }
    }),
    remove,
    /**
     * The keys (hex) of a `line` before `primary`, which a person had in between. As strangers they are no contacts any
     * more; those that the user decided about are left as they are, and left out.
     */
    passed: Effect.fnUntraced(function* (transaction: Transaction, line: ReadonlyArray<string>, primary: string) {
      const passed: Array<string> = []
      for (const each of line.slice(0, Math.max(0, line.indexOf(primary)))) {
        const row = yield* transaction.get(Rows.key.contact(hexOf(each)), Rows.Contact)
        if (row !== undefined && row.state !== "requested") continue
        if (row !== undefined) remove(transaction, row)
        passed.push(hexOf(each))
      }
      return passed.toReversed()
    }),
    /** Finds a contact as `find` does, then changes its current row in a transaction. */
    change: <E>(
      who: string,
      account: Rows.AccountRow,
      how: (row: Rows.ContactRow, transaction: Transaction) => Effect.Effect<Rows.ContactRow, E>
    ) =>
      Effect.flatMap(find(who, account), (found) =>
        found.primary === account.primary
          ? Effect.succeed(found)
          : ledger.transact((transaction) =>
              Effect.gen(function* () {
                const row = yield* transaction.get(Rows.key.contact(hexOf(found.primary)), Rows.Contact)
                if (row === undefined) return yield* new ContactUnknown({ who })
                const changed = yield* how(row, transaction)
                if (changed !== row) save(transaction, changed)
                return changed
              })
            )
      )
  }
})

export class ContactBook extends Context.Service<ContactBook>()("@kez-chat/sdk/ContactBook", { make }) {}

export const layer = Layer.effect(ContactBook, make)
