/**
 * Synchronises the user's blocks: with the account's other devices by sealed notes to self, and with its home server,
 * which then stores no frames of blocked accounts (spec/messages.md, Notes between devices; spec/broker.md, Block).
 *
 * The contacts are authoritative: a row of this list follows the state of its contact, and its revision grows with each
 * change. Notes and requests are derived from the rows and repeated until the broker has them, so neither a crash nor
 * an outage loses a decision. They are renewed regularly, since notes expire and a home server can lose its list.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { admitHex } from "../../protocol/identity/KeyAdmission.ts"
import { type Body, Limits, PrimaryKey } from "../../protocol/index.ts"
import { type BrokerConnection, BrokerRefused } from "../../services/index.ts"
import { Ledger, scanRows, type Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import type { Session } from "../internal/Session.ts"
import { ContactBook } from "./ContactBook.ts"
import * as Trust from "./Trust.ts"

const { key } = Rows
const dayMillis = 24 * 60 * 60 * 1_000

/** Age at which a note is renewed, well before the home server's retention removes it. */
const renewNotesMillis = 7 * dayMillis
/** Interval between notifications of the home server. */
const renewHomeMillis = dayMillis

/** Shown by versions that do not know these notes. */
const fallback = "(Your devices told each other whom you block.)"

/** Whether a note's entry supersedes a row: by revision, and of equal revisions the one that blocks. */
const supersedes = (entry: Body.BlockEntry, row: Rows.BlockRow | undefined): boolean =>
  row === undefined || entry.rev > row.rev || (entry.rev === row.rev && entry.blocked && !row.blocked)

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const book = yield* ContactBook
  const sendQueue = yield* SendQueue

  /** The row of an account, brought up to date with its contact. */
  const currentRow = Effect.fnUntraced(function* (transaction: Transaction, hex: string) {
    const row = yield* transaction.get(key.block(hex), Rows.Block)
    // A former key stays blocked as long as the key that it was handed over to.
    const retired = yield* transaction.get(key.retired(hex), Rows.Retired)
    const contact = yield* transaction.get(key.contact(retired?.to ?? hex), Rows.Contact)
    const blocked = contact?.state === "blocked"
    if (blocked === (row?.blocked ?? false)) return row
    const changed: Rows.BlockRow = { blocked, rev: (row?.rev ?? 0) + 1 }
    transaction.put(key.block(hex), Rows.Block, changed)
    return changed
  })

  const apply = Effect.fnUntraced(function* (transaction: Transaction, named: string, blocked: boolean, now: number) {
    const retired = yield* transaction.get(key.retired(named), Rows.Retired)
    const hex = retired?.to ?? named
    const contact = yield* transaction.get(key.contact(hex), Rows.Contact)
    if (blocked) {
      const known = contact ?? Trust.newContact(hex, "requested", now)
      if (known.state === "blocked") return
      yield* sendQueue.abandon(transaction, hex, "the contact was blocked on another device before this was sent")
      book.save(transaction, Trust.block(known))
    } else if (contact?.state === "blocked") {
      book.save(transaction, Trust.unblock(contact))
      transaction.onCommit(() => sendQueue.wake(hex))
    }
  })

  const receive = Effect.fnUntraced(function* (
    transaction: Transaction,
    { entries }: Body.BlockList,
    arrivedAt: number
  ) {
    for (const entry of entries) {
      const hex = PrimaryKey.hexOf(entry.who)
      if (Result.isFailure(admitHex(hex))) continue
      const row = yield* currentRow(transaction, hex)
      if (supersedes(entry, row)) {
        transaction.put(key.block(hex), Rows.Block, { blocked: entry.blocked, rev: entry.rev, notedAt: arrivedAt })
        yield* apply(transaction, hex, entry.blocked, arrivedAt)
      } else if (row !== undefined) {
        // The device that wrote an outdated entry must get a new note.
        const { notedAt: _, ...rest } = row
        const same = entry.rev === row.rev && entry.blocked === row.blocked
        transaction.put(key.block(hex), Rows.Block, same ? { ...row, notedAt: arrivedAt } : rest)
      }
    }
  })

  const rows = scanRows(ledger, { prefix: Rows.prefix.blocks }, Rows.Block)

  const reconcile = Effect.gen(function* () {
    const listed = new Map((yield* rows).map(({ id: hex, row }) => [hex, row.blocked]))
    const blocked = new Set(
      (yield* book.all).filter(({ state }) => state === "blocked").map((row) => PrimaryKey.hexOf(row.primary))
    )
    for (const { id, row } of yield* scanRows(ledger, { prefix: Rows.prefix.retired }, Rows.Retired)) {
      if (blocked.has(row.to)) blocked.add(id)
    }
    const differ = [...new Set([...listed.keys(), ...blocked])].filter(
      (hex) => blocked.has(hex) !== (listed.get(hex) ?? false)
    )
    if (differ.length === 0) return
    yield* ledger.transact((transaction) =>
      Effect.forEach(differ, (hex) => currentRow(transaction, hex), { discard: true })
    )
  })

  const queueNotes = Effect.fnUntraced(function* (session: Session) {
    if (session.account().step !== "published") return
    const now = yield* Clock.currentTimeMillis
    const isDue = ({ blocked, notedAt }: Rows.BlockRow) =>
      notedAt === undefined || (blocked && notedAt < now - renewNotesMillis)
    const due = (yield* rows).filter(({ row }) => isDue(row))
    for (let at = 0; at < due.length; at += Limits.blockEntries) {
      yield* ledger.transact(
        Effect.fnUntraced(function* (transaction: Transaction) {
          const entries: Array<Body.BlockEntry> = []
          for (const { id: hex } of due.slice(at, at + Limits.blockEntries)) {
            const row = yield* transaction.get(key.block(hex), Rows.Block)
            if (row === undefined || !isDue(row)) continue
            entries.push({ who: PrimaryKey.ofHex(hex), blocked: row.blocked, rev: row.rev })
            transaction.put(key.block(hex), Rows.Block, { ...row, notedAt: now })
          }
          if (entries.length === 0) return
          const draft = { type: "block_list" as const, entries, fallback }
          yield* sendQueue.enqueue(transaction, session, session.identity.key, draft)
        })
      )
    }
  })

  const tellHome = Effect.fnUntraced(function* (connection: BrokerConnection) {
    const epoch = (yield* ledger.get(key.position, Rows.Position))?.epoch ?? ""
    const now = yield* Clock.currentTimeMillis
    for (const { id: hex, row } of yield* rows) {
      const { atHome } = row
      if (atHome !== undefined && atHome.epoch === epoch && atHome.at > now - renewHomeMillis) continue
      const who = admitHex(hex)
      if (Result.isFailure(who)) continue
      const answer = yield* Effect.result(connection.block(row.blocked ? "add" : "remove", who.success))
      if (Result.isFailure(answer)) {
        // A full list is tried again tomorrow; this device ignores mail of the accounts beyond it.
        const isFull = answer.failure instanceof BrokerRefused && answer.failure.code === "full"
        if (!isFull) return yield* answer.failure
      }
      yield* ledger.transact(
        (transaction) =>
          Effect.map(transaction.get(key.block(hex), Rows.Block), (current) => {
            if (current?.rev !== row.rev || current.blocked !== row.blocked) return
            transaction.put(key.block(hex), Rows.Block, { ...current, atHome: { epoch, at: now } })
          }),
        { relaxed: true }
      )
    }
  })

  return {
    /** Applies a note of one of the account's devices. */
    receive,
    /** Makes all entries due for a new note: the notes that other devices could read are gone. */
    renew: Effect.gen(function* () {
      const all = yield* rows
      if (all.length === 0) return
      yield* ledger.transact((transaction) =>
        Effect.forEach(
          all,
          ({ id: hex }) =>
            Effect.map(transaction.get(key.block(hex), Rows.Block), (row) => {
              if (row === undefined) return
              const { notedAt: _, ...rest } = row
              transaction.put(key.block(hex), Rows.Block, rest)
            }),
          { discard: true }
        )
      )
    }),
    /** Updates the list from the contacts, queues due notes, and tells the home server; fails if it is not told. */
    pass: (session: Session, connection: BrokerConnection) =>
      Effect.andThen(reconcile, Effect.andThen(queueNotes(session), tellHome(connection)))
  }
})

export class BlockList extends Context.Service<BlockList>()("@kez-chat/sdk/BlockList", { make }) {}

export const layer = Layer.effect(BlockList, make)
