/** Introductions: an accepted contact says that somebody may write (spec/proofs.md, Introductions). */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Body, Limits } from "../../../protocol/index.ts"
import { hexOf, ofHex, parseEd25519 } from "../../../protocol/identity/PrimaryKey.ts"
import type { StoreError } from "../../../services/LocalStore.ts"
import { ContactBook, Trust } from "../../contacts/index.ts"
import { CurrentAccount } from "../../internal/CurrentAccount.ts"
import { Events } from "../../internal/Events.ts"
import { Ledger, scanRows, type Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import { SendQueue } from "../../internal/SendQueue.ts"
import type { Session } from "../../internal/Session.ts"
import { type Admission, type Introduction, IntroductionRefused } from "../../model/index.ts"
import { fallbackOf } from "./IntroductionText.ts"

const { key, prefix } = Rows

const isOpen = ({ at }: Rows.IntroducedRow, now: number): boolean => now < at + Limits.introductionMillis

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const book = yield* ContactBook
  const events = yield* Events
  const sendQueue = yield* SendQueue

  /** The open introductions below a prefix; those that ended are deleted. */
  const open = Effect.fnUntraced(function* (transaction: Transaction, from: string, now: number) {
    const all = yield* scanRows(transaction, { prefix: from }, Rows.Introduced)
    for (const { key, row } of all) if (!isOpen(row, now)) transaction.delete(key)
    return all.filter(({ row }) => isOpen(row, now))
  })

  const accepted = Effect.fnUntraced(function* (who: string) {
    const mine = yield* account.get
    const row = yield* book.find(who, mine)
    if (row.state === "accepted" && row.primary !== mine.primary) return row
    const detail =
      row.primary === mine.primary ? "that is your own account" : `${row.handle} is no accepted contact of yours`
    return yield* new IntroductionRefused({ who, reason: "not_accepted", detail })
  })

  const sendBody = Effect.fnUntraced(function* (
    transaction: Transaction,
    session: Session,
    to: Rows.ContactRow,
    newcomer: { readonly primary: string; readonly handle?: string },
    withdrawn: boolean
  ) {
    const refused = Trust.reasonNotToSend(to)
    if (refused !== undefined) return yield* refused
    const draft = {
      type: "introduction" as const,
      ...newcomer,
      ...(withdrawn ? { withdrawn: true as const } : {}),
      fallback: fallbackOf(newcomer.handle ?? newcomer.primary, withdrawn)
    }
    const peer = yield* Effect.fromResult(parseEd25519(to.primary))
    const message = yield* sendQueue.enqueue(transaction, session, peer, draft)
    if (message === undefined) return yield* Effect.die("an introduction leaves a message")
    transaction.onCommit(() => events.publish({ _tag: "Message", message, contact: Trust.toContact(to) }))
    return message
  })

  const introduce = Effect.fn("introduce")(function* (session: Session, to: string, who: string) {
    const recipient = yield* accepted(to)
    const newcomer = yield* accepted(who)
    if (recipient.primary === newcomer.primary) {
      return yield* new IntroductionRefused({
        who,
        reason: "not_accepted",
        detail: "nobody is introduced to themselves"
      })
    }
    const now = yield* Clock.currentTimeMillis
    const [peer, hex] = [hexOf(recipient.primary), hexOf(newcomer.primary)]
    return yield* ledger.transact(
      Effect.fnUntraced(function* (transaction: Transaction) {
        const others = (yield* open(transaction, prefix.introducedToPeer(peer), now)).filter(({ id }) => id !== hex)
        if (others.length >= Limits.introductionsOpen) {
          const detail = `${Limits.introductionsOpen} introductions to ${recipient.handle} are open: take one back first`
          return yield* new IntroductionRefused({ who, reason: "too_many", detail })
        }
        const { handle, primary, resolved } = newcomer
        const named = { primary, ...(resolved ? { handle } : {}) }
        const message = yield* sendBody(transaction, session, recipient, named, false)
        transaction.put(key.introduced(peer, hex), Rows.Introduced, { at: now, ...(resolved ? { handle } : {}) })
        return message
      })
    )
  })

  const withdraw = Effect.fn("withdrawIntroduction")(function* (session: Session, to: string, who: string) {
    const recipient = yield* accepted(to)
    const peer = hexOf(recipient.primary)
    const now = yield* Clock.currentTimeMillis
    // The newcomer may be no contact any more.
    const known = yield* Effect.option(Effect.flatMap(account.get, (mine) => book.find(who, mine)))
    const primary = known._tag === "Some" ? known.value.primary : who.trim()
    return yield* ledger.transact(
      Effect.fnUntraced(function* (transaction: Transaction) {
        const given = yield* open(transaction, prefix.introducedToPeer(peer), now)
        const found = given.find(({ id, row }) => ofHex(id) === primary || row.handle === who.trim().replace(/^@/, ""))
        if (found === undefined) {
          const detail = `no introduction to ${recipient.handle} is open`
          return yield* new IntroductionRefused({ who, reason: "unknown", detail })
        }
        transaction.delete(found.key)
        const { handle } = found.row
        const named = { primary: ofHex(found.id), ...(handle === undefined ? {} : { handle }) }
        return yield* sendBody(transaction, session, recipient, named, true)
      })
    )
  })

  /** Notes what a contact, or another device of this account, wrote. */
  const note = (
    transaction: Transaction,
    { introduced, others }: { readonly introduced: string; readonly others: Effect.Effect<number, StoreError> },
    body: Body.Introduction,
    at: number
  ) =>
    Effect.gen(function* () {
      if (body.withdrawn === true) return transaction.delete(introduced)
      if ((yield* others) >= Limits.introductionsOpen) return
      const { handle } = body
      transaction.put(introduced, Rows.Introduced, { at, ...(handle === undefined ? {} : { handle }) })
    })

  return {
    introduce,
    withdraw,
    /** Takes in what a contact wrote. Only five introductions of one voucher are open at a time (KEZ-PRF-172). */
    receive: (transaction: Transaction, voucher: string, body: Body.Introduction, at: number) => {
      const newcomer = hexOf(body.primary)
      const others = Effect.map(
        open(transaction, prefix.introductions, at),
        (all) => all.filter(({ id }) => id.endsWith(`/${voucher}`) && !id.startsWith(`${newcomer}/`)).length
      )
      return note(transaction, { introduced: key.introduction(newcomer, voucher), others }, body, at)
    },
    /** Takes in what this account wrote on another device. */
    receiveOwn: (transaction: Transaction, peer: string, body: Body.Introduction, at: number) =>
      note(transaction, { introduced: key.introduced(peer, hexOf(body.primary)), others: Effect.succeed(0) }, body, at),
    /** The introduction by an accepted contact that lets a newcomer in, if there is one. */
    admitting: Effect.fnUntraced(function* (newcomer: string) {
      const now = yield* Clock.currentTimeMillis
      const found = yield* scanRows(ledger, { prefix: prefix.introductionsOf(newcomer) }, Rows.Introduced)
      for (const { id: voucher, row } of found) {
        if (!isOpen(row, now)) continue
        const contact = yield* ledger.get(key.contact(voucher), Rows.Contact)
        if (contact?.state !== "accepted") continue
        const admission: Admission = { by: "introduction", who: contact.handle, primary: contact.primary, at: row.at }
        return admission
      }
      return undefined
    }),
    /** The introductions that are open, given and received. */
    list: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const rows = yield* scanRows(ledger, { prefix: prefix.introducedTo }, Rows.Introduced)
      const received = yield* scanRows(ledger, { prefix: prefix.introductions }, Rows.Introduced)
      const shown = (
        direction: Introduction["direction"],
        peer: string,
        newcomer: string,
        row: Rows.IntroducedRow
      ) => ({
        direction,
        peer: ofHex(peer),
        newcomer: ofHex(newcomer),
        ...(row.handle === undefined ? {} : { handle: row.handle }),
        at: row.at,
        expiresAt: row.at + Limits.introductionMillis
      })
      return [
        ...rows.flatMap(({ id, row }) => {
          const [peer = "", newcomer = ""] = id.split("/")
          return isOpen(row, now) ? [shown("given", peer, newcomer, row)] : []
        }),
        ...received.flatMap(({ id, row }) => {
          const [newcomer = "", voucher = ""] = id.split("/")
          return isOpen(row, now) ? [shown("received", voucher, newcomer, row)] : []
        })
      ] satisfies ReadonlyArray<Introduction>
    })
  }
})

export class Introductions extends Context.Service<Introductions>()("@kez-chat/sdk/Introductions", { make }) {}

export const layer = Layer.effect(Introductions, make)
