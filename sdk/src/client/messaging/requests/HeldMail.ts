/** Mail of strangers that the inbox policy holds back: nothing of it is shown, and nothing of it is lost silently. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Bytes } from "../../../protocol/index.ts"
import { ofHex } from "../../../protocol/identity/PrimaryKey.ts"
import { ClaimBook, ClaimState } from "../../claims/index.ts"
import { ContactBook } from "../../contacts/index.ts"
import { CurrentAccount } from "../../internal/CurrentAccount.ts"
import { Events } from "../../internal/Events.ts"
import { Ledger, scanRows, type Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { HeldRequest } from "../../model/index.ts"

const { key, prefix } = Rows

/** Most messages and bytes of frames that are held of one stranger, and most strangers. */
const messagesMax = 20
const bytesMax = 256 * 1024
const sendersMax = 100

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const book = yield* ContactBook
  const claimBook = yield* ClaimBook
  const events = yield* Events
  let noticed: (hex: string) => void = () => {}

  /**
   * What a stranger is called: the handle that the home server proves, unless the account or a contact bears it, whose
   * key is another; then the primary key (KEZ-SEQ-045).
   */
  const nameOf = Effect.fnUntraced(function* (hex: string, { handle }: Rows.HeldSenderRow) {
    const primary = ofHex(hex)
    const mine = yield* Effect.catchTag(account.get, "NoAccount", () => Effect.undefined)
    if (handle === undefined || handle === mine?.handle) return primary
    const others = (yield* book.all).filter((row) => row.resolved && row.handle === handle && row.primary !== primary)
    return others.length === 0 ? handle : primary
  })

  const toRequest = Effect.fnUntraced(function* (hex: string, row: Rows.HeldSenderRow) {
    const now = yield* Clock.currentTimeMillis
    const primary = ofHex(hex)
    const claims = yield* claimBook.of(primary)
    return {
      handle: yield* nameOf(hex, row),
      primary,
      messages: row.messages,
      dropped: row.dropped,
      firstAt: row.firstAt,
      lastAt: row.lastAt,
      sentence: row.sentence,
      claims: claims.map((claim) => ClaimState.toClaim(claim, now))
    } satisfies HeldRequest
  })

  const publish = (hex: string) =>
    Effect.gen(function* () {
      const row = yield* ledger.get(key.heldSender(hex), Rows.HeldSender)
      if (row !== undefined) events.publish({ _tag: "Held", request: yield* toRequest(hex, row) })
    })

  const discard = Effect.fnUntraced(function* (transaction: Transaction, hex: string) {
    transaction.delete(key.heldSender(hex))
    for (const { key: frame } of yield* transaction.scan({ prefix: prefix.heldFrames(hex) })) transaction.delete(frame)
    if (!(yield* transaction.has(key.contact(hex)))) yield* claimBook.remove(transaction, ofHex(hex))
  })

  /** Tells the user what of a stranger's mail was dropped once the transaction is durable. */
  const tell = (transaction: Transaction, detail: string) =>
    transaction.onCommit(() => events.publish({ _tag: "Dropped", code: "store_full", detail }))

  /** Ends the holding of a stranger's mail, of which `hold` took no more than the limits allow. */
  const end = Effect.fnUntraced(function* (transaction: Transaction, hex: string) {
    const row = yield* transaction.get(key.heldSender(hex), Rows.HeldSender)
    if (row !== undefined && row.dropped > 0) {
      const limits = `no more than ${messagesMax} messages or ${bytesMax / 1_024} KiB of a stranger are held`
      tell(transaction, `${row.dropped} messages of ${yield* nameOf(hex, row)} were dropped: ${limits}`)
    }
    yield* discard(transaction, hex)
  })

  /** Makes room for one more stranger: one whose proofs do not count goes first, else the one that waits longest. */
  const makeRoom = Effect.fnUntraced(function* (transaction: Transaction) {
    const senders = yield* scanRows(transaction, { prefix: prefix.heldSenders }, Rows.HeldSender)
    if (senders.length < sendersMax) return
    const rank = ({ row }: (typeof senders)[number]) => (row.verdict === "rejected" ? 0 : 1)
    const [last] = senders.sort((a, b) => rank(a) - rank(b) || a.row.lastAt - b.row.lastAt)
    if (last === undefined) return
    yield* discard(transaction, last.id)
    const name = yield* nameOf(last.id, last.row)
    tell(transaction, `held mail of ${name} was dropped: no more than ${sendersMax} strangers are held`)
  })

  return {
    /** Holds a frame back. The same message again changes nothing. */
    hold: Effect.fnUntraced(function* (
      transaction: Transaction,
      hex: string,
      id: string,
      { at, frame, seq }: { readonly at: number; readonly seq: number; readonly frame: Uint8Array }
    ) {
      if (yield* transaction.has(key.heldFrame(hex, id))) return
      const known = yield* transaction.get(key.heldSender(hex), Rows.HeldSender)
      if (known === undefined) yield* makeRoom(transaction)
      const sender: Rows.HeldSenderRow = known ?? {
        messages: 0,
        bytes: 0,
        dropped: 0,
        firstAt: at,
        lastAt: at,
        sentence: "their proofs are being checked",
        verdict: "waiting",
        nextCheckAt: 0
      }
      const fits = sender.messages < messagesMax && sender.bytes + frame.length <= bytesMax
      if (fits) {
        transaction.put(key.heldFrame(hex, id), Rows.HeldFrame, { at, seq, frame: Bytes.toBase64Url(frame) })
      }
      transaction.put(key.heldSender(hex), Rows.HeldSender, {
        ...sender,
        lastAt: at,
        ...(fits
          ? { messages: sender.messages + 1, bytes: sender.bytes + frame.length }
          : { dropped: sender.dropped + 1 })
      })
      transaction.onCommit(() => noticed(hex))
    }),
    /** Calls the listener with every stranger whose mail is held, or who may be let in now. */
    onNotice: (listener: (hex: string) => void) => void (noticed = listener),
    notice: (hex: string) => noticed(hex),
    /** The strangers whose mail is held. */
    senders: Effect.suspend(() => scanRows(ledger, { prefix: prefix.heldSenders }, Rows.HeldSender)),
    get: (hex: string) => ledger.get(key.heldSender(hex), Rows.HeldSender),
    /** Stores what was found out about a stranger, and publishes `Held` where it is news. */
    judge: Effect.fnUntraced(function* (
      hex: string,
      found: Pick<Rows.HeldSenderRow, "sentence" | "verdict" | "nextCheckAt" | "handle">
    ) {
      const isNews = yield* ledger.transact((transaction) =>
        Effect.map(transaction.get(key.heldSender(hex), Rows.HeldSender), (row) => {
          if (row === undefined) return false
          transaction.put(key.heldSender(hex), Rows.HeldSender, { ...row, ...found })
          return row.sentence !== found.sentence || row.handle !== found.handle
        })
      )
      if (isNews) yield* publish(hex)
    }),
    /** The held frames of a stranger in the order of their arrival. */
    frames: (transaction: Transaction, hex: string) =>
      Effect.map(scanRows(transaction, { prefix: prefix.heldFrames(hex) }, Rows.HeldFrame), (frames) =>
        frames.sort((a, b) => a.row.at - b.row.at || a.row.seq - b.row.seq)
      ),
    nameOf,
    /** Drops all of a stranger's mail that is held, as the user wishes. */
    discard,
    /** Ends the holding of a stranger's mail that is taken in; tells what the limits had dropped. */
    end,
    /** Drops all of a stranger's mail that is held because it is too old, and tells the user. */
    expire: Effect.fnUntraced(function* (transaction: Transaction, hex: string) {
      const row = yield* transaction.get(key.heldSender(hex), Rows.HeldSender)
      if (row === undefined) return
      const name = yield* nameOf(hex, row)
      tell(transaction, `held mail of ${name} was dropped: the last message is older than 30 days`)
      yield* discard(transaction, hex)
    }),
    list: Effect.suspend(() =>
      Effect.flatMap(
        scanRows(ledger, { prefix: prefix.heldSenders }, Rows.HeldSender),
        Effect.forEach(({ id, row }) => toRequest(id, row))
      )
    )
  }
})

export class HeldMail extends Context.Service<HeldMail>()("@kez-chat/sdk/HeldMail", { make }) {}

export const layer = Layer.effect(HeldMail, make)
