/** The contacts that are kept, found by handle, mention or key. What may be believed of them is decided in `Trust`. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Handle from "../../protocol/identity/Handle.ts"
import { hexOf } from "../../protocol/identity/PrimaryKey.ts"
import type { StoreError } from "../../services/LocalStore.ts"
import { Events } from "../internal/Events.ts"
import { Ledger, type LedgerError, type Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Event } from "../model/index.ts"
import { ContactUnknown } from "../model/index.ts"
import * as Trust from "./Trust.ts"

export class ContactBook extends Context.Service<
  ContactBook,
  {
    readonly all: Effect.Effect<ReadonlyArray<Rows.ContactRow>, StoreError>
    /** By handle, mention (`@chris`, `chris`), or primary. Among those of one handle, one that was decided on comes first. */
    find(who: string, account: Rows.AccountRow): Effect.Effect<Rows.ContactRow, ContactUnknown | StoreError>
    /** Who bears a handle, as of this transaction: what others have staged counts, which `all` does not show yet. */
    bearers(transaction: Transaction, handle: string): Effect.Effect<ReadonlyArray<Rows.ContactRow>, StoreError>
    /** Keeps a contact and tells about it. */
    save(transaction: Transaction, row: Rows.ContactRow): void
    /** Keeps what an event made of a contact, if it made anything of it, and tells what the user should know. */
    keep(transaction: Transaction, before: Rows.ContactRow, judged: Trust.Judged): void
    remove(transaction: Transaction, row: Rows.ContactRow): void
    /** Takes the names of contacts away from strangers to whom an earlier version gave them. */
    readonly unnameStrangers: Effect.Effect<void, LedgerError>
    /** Forgets what was read, after the store was emptied. */
    reset(): void
    /** As `find`, then changes the row as it is at that moment. */
    change<E>(
      who: string,
      account: Rows.AccountRow,
      how: (row: Rows.ContactRow, transaction: Transaction) => Effect.Effect<Rows.ContactRow, E>
    ): Effect.Effect<Rows.ContactRow, E | ContactUnknown | LedgerError>
  }
>()("@kez-chat/sdk/ContactBook") {}

/** The account itself, as the other side of its notes. */
export const self = (account: Rows.AccountRow): Rows.ContactRow => ({
  handle: account.handle,
  primary: account.primary,
  resolved: true,
  state: "accepted",
  verified: true,
  ...(account.head === undefined ? {} : { head: account.head }),
  reachable: true,
  former: [],
  addedAt: account.createdAt
})

// Of two keys with one name the one that stopped comes first, so that nobody writes to the other unawares.
const rank: Record<Rows.ContactRow["state"], number> = { changed: 0, accepted: 1, blocked: 2, requested: 3 }

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events

  // Read once and kept up to date by `save`, so that naming somebody costs no scan.
  let loaded: Map<string, Rows.ContactRow> | undefined
  let changes = 0

  const book: Effect.Effect<ReadonlyMap<string, Rows.ContactRow>, StoreError> = Effect.suspend(() => {
    if (loaded !== undefined) return Effect.succeed(loaded)
    const before = changes
    return Effect.flatMap(
      Effect.flatMap(
        ledger.scan({ prefix: Rows.prefix.contacts }),
        Effect.forEach((entry) => Effect.fromResult(Rows.Contact.decode(entry.key, entry.value)))
      ),
      (rows) => {
        // What was read may be older than a change that came in between.
        if (changes !== before) return book
        return Effect.succeed((loaded ??= new Map(rows.map((row) => [row.primary, row]))))
      }
    )
  })

  const find: ContactBook["Service"]["find"] = (who, account) =>
    Effect.gen(function* () {
      const rows = yield* book
      const name = who.trim()
      const mention = Handle.parseMention(name, account.server)
      const handle = Result.isSuccess(mention) ? mention.success.text : undefined
      if (name === account.primary || handle === account.handle) return self(account)
      const byKey = rows.get(name)
      if (byKey !== undefined) return byKey
      const named = [...rows.values()].filter((row) => row.resolved && row.handle === handle)
      const best = named.sort((a, b) => rank[a.state] - rank[b.state])[0]
      return best ?? (yield* new ContactUnknown({ who: name }))
    })

  const save: ContactBook["Service"]["save"] = (transaction, row) => {
    transaction.put(Rows.key.contact(hexOf(row.primary)), Rows.Contact, row)
    transaction.onCommit(() => {
      changes += 1
      loaded?.set(row.primary, row)
      events.publish({ _tag: "Contact", contact: Trust.toContact(row) })
    })
  }

  const keep: ContactBook["Service"]["keep"] = (transaction, before, { notice, row }) => {
    if (!Equal.equals(row, before)) save(transaction, row)
    const contact = Trust.toContact(row)
    const told: Record<NonNullable<typeof notice>, Event> = {
      changed: { _tag: "KeyChanged", contact },
      healed: { _tag: "KeyHealed", contact, detail: Trust.healedBy(before, row) },
      offered: { _tag: "KeyOffered", contact }
    }
    if (notice !== undefined) transaction.onCommit(() => events.publish(told[notice]))
  }

  return ContactBook.of({
    all: Effect.map(book, (rows) => [...rows.values()]),
    find,
    bearers: (transaction, handle) =>
      Effect.map(
        Effect.flatMap(
          transaction.scan({ prefix: Rows.prefix.contacts }),
          Effect.forEach((entry) => Effect.fromResult(Rows.Contact.decode(entry.key, entry.value)))
        ),
        (rows) => rows.filter((row) => row.resolved && row.handle === handle)
      ),
    save,
    keep,
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
    reset: () => {
      changes += 1
      loaded = undefined
    },
    remove: (transaction, row) => {
      transaction.delete(Rows.key.contact(hexOf(row.primary)))
      transaction.onCommit(() => {
        changes += 1
        loaded?.delete(row.primary)
        events.publish({ _tag: "ContactRemoved", contact: Trust.toContact(row) })
      })
    },
    change: (who, account, how) =>
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
  })
})

export const layer: Layer.Layer<ContactBook, never, Ledger | Events> = Layer.effect(ContactBook, make)
