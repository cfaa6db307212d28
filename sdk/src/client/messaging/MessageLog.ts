/** The stored messages of each conversation: appended and changed by Inbox and Outbox, read page by page. */
import * as Effect from "effect/Effect"
import { Blank, FileName, PrimaryKey } from "../../protocol/index.ts"
import type { JsonObject } from "../../protocol/encoding/Json.ts"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import type { StoreError } from "../../services/LocalStore.ts"
import type { Message, MessageState, OfferedFile } from "../model/index.ts"
import * as ConversationCounters from "../internal/ConversationCounters.ts"
import { scanRows, type Transaction } from "../internal/Ledger.ts"
import { Offers } from "../files/fetch/index.ts"
import * as Rows from "../internal/rows/index.ts"
import * as Introductions from "./requests/IntroductionText.ts"

const { key } = Rows

const textOf = (body: JsonObject, file: OfferedFile | undefined): string => {
  if (file !== undefined) return FileName.display(file.name)
  // Its fallback is for clients that cannot tell whether it names the same person as the body does.
  if (body["type"] === "introduction") return Introductions.textOf(body)
  const text = body["type"] === "text" ? body["text"] : body["fallback"]
  if (typeof text === "string" && (body["type"] === "text" || !Blank.isBlank(text))) return text
  return `this version cannot show a message of type ${JSON.stringify(body["type"])}`
}

/** A stored message as callers see it. */
export const toMessage = (peerHex: string, order: number, row: Rows.MessageRow): Message => {
  const file = Offers.fileOf(row.body)
  return {
    id: row.id,
    peer: PrimaryKey.ofHex(peerHex),
    direction: row.direction,
    text: textOf(row.body, file),
    type: String(row.body["type"]),
    ...(file === undefined ? {} : { file }),
    body: row.body,
    createdAt: row.createdAt,
    arrivedAt: row.arrivedAt,
    order,
    ...(row.state === undefined ? {} : { state: row.state }),
    ...(row.failure === undefined ? {} : { failure: row.failure }),
    ...(row.waiting === undefined ? {} : { waiting: row.waiting }),
    ...(row.acceptance === undefined ? {} : { acceptedAt: row.acceptance.at }),
    ...(row.suspicious === undefined ? {} : { suspicious: row.suspicious }),
    ...(row.gap === undefined ? {} : { gap: row.gap }),
    ...(row.equivocation === undefined ? {} : { equivocation: row.equivocation }),
    ...(row.fork === undefined ? {} : { fork: row.fork }),
    ...(row.retired === undefined ? {} : { retired: row.retired })
  }
}

/** Adds a message to the end of its conversation. */
export const append = (transaction: Transaction, peer: AdmittedKey, row: Rows.MessageRow) =>
  Effect.mapEager(ConversationCounters.nextOrder(transaction), (order) => {
    transaction.put(key.message(peer.hex, order), Rows.MessageRow, row)
    return toMessage(peer.hex, order, row)
  })

/** Changes a stored message and returns the result; undefined if there is none or `update` changed nothing. */
export const change = (
  transaction: Transaction,
  peerHex: string,
  order: number,
  update: (row: Rows.MessageRow) => Rows.MessageRow
): Effect.Effect<Message | undefined, StoreError> =>
  Effect.map(transaction.get(key.message(peerHex, order), Rows.MessageRow), (row) => {
    if (row === undefined) return undefined
    const changed = update(row)
    if (changed === row) return undefined
    transaction.put(key.message(peerHex, order), Rows.MessageRow, changed)
    return toMessage(peerHex, order, changed)
  })

const rank: Record<MessageState, number> = { queued: 0, failed: 1, stored: 2, delivered: 3, read: 4 }

/** Moves a sent message forward to `state`, never back: late and repeated receipts do nothing. */
export const advance =
  (state: MessageState, failure?: string) =>
  (row: Rows.MessageRow): Rows.MessageRow => {
    if (row.direction === "in" || rank[state] <= rank[row.state ?? "stored"]) return row
    const { failure: _, waiting: __, ...rest } = row
    return { ...rest, state, ...(failure === undefined ? {} : { failure }) }
  }

/** An update that records why the home server has not accepted a queued message yet. */
export const withWaiting =
  (waiting: NonNullable<Rows.MessageRow["waiting"]>) =>
  (row: Rows.MessageRow): Rows.MessageRow =>
    row.state !== "queued" || (row.waiting?.reason === waiting.reason && row.waiting.until === waiting.until)
      ? row
      : { ...row, waiting }

/** Where a page of messages begins and ends: local orders, both excluded, and the most messages that it has. */
interface Bounds {
  readonly after?: number
  readonly before?: number
  readonly limit: number
}

const scan = (
  ledger: Pick<Transaction, "scan">,
  keys: ReadonlyArray<string>,
  { after, before, limit }: Bounds,
  reverse: boolean
): Effect.Effect<ReadonlyArray<Message>, StoreError> =>
  Effect.map(
    Effect.forEach(keys, (hex) =>
      Effect.map(
        scanRows(
          ledger,
          {
            prefix: Rows.prefix.messages(hex),
            ...(after === undefined ? {} : { after: key.message(hex, after) }),
            ...(before === undefined ? {} : { before: key.message(hex, before) }),
            limit,
            reverse
          },
          Rows.MessageRow
        ),
        (rows) => rows.map(({ key, row }) => toMessage(hex, Rows.orderOf(key), row))
      )
    ),
    (pages) =>
      pages
        .flat()
        .sort((a, b) => (reverse ? b.order - a.order : a.order - b.order))
        .slice(0, limit)
  )

/** The newest messages within the bounds under any of these keys, newest first. */
export const newest = (ledger: Pick<Transaction, "scan">, keys: ReadonlyArray<string>, bounds: Bounds) =>
  scan(ledger, keys, bounds, true)

/** The oldest messages within the bounds under any of these keys, oldest first. */
export const oldest = (ledger: Pick<Transaction, "scan">, keys: ReadonlyArray<string>, bounds: Bounds) =>
  scan(ledger, keys, bounds, false)
