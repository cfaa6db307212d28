/**
 * The use case `checkHistory`: what is missing from a conversation, as far as its messages tell. Each names the one
 * before it as its author saw it (`prev`), and each device numbers what it sends.
 */
import * as Effect from "effect/Effect"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger, scanRows } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { MessageLog } from "../messaging/index.ts"
import type { HistoryCheck } from "../model/index.ts"
import { PrimaryKey } from "../../protocol/index.ts"
import { find, keysOf } from "./History.ts"

/** Runs of numbers missing among `seqs`, from 0 to the highest. */
const gapsIn = (seqs: ReadonlyArray<number>): ReadonlyArray<{ readonly first: number; readonly last: number }> => {
  const gaps: Array<{ first: number; last: number }> = []
  let next = 0
  for (const seq of seqs.toSorted((a, b) => a - b)) {
    if (seq > next) gaps.push({ first: next, last: seq - 1 })
    next = seq + 1
  }
  return gaps
}

/** See `KezChat.checkHistory`. */
export const checkHistory = Effect.fn("checkHistory")(function* (who: string) {
  const ledger = yield* Ledger
  const account = yield* (yield* CurrentAccount).get
  const own = new Set([PrimaryKey.hexOf(account.primary), ...(account.former ?? [])])
  const keys = keysOf(yield* find(who))
  const known = new Set<string>()
  for (const author of new Set([...own, ...keys])) {
    const seen = yield* scanRows(ledger, { prefix: `${Rows.prefix.seen}${author}/` }, Rows.Seen)
    for (const { row } of seen) known.add(row.hash)
  }
  const result = { messages: 0, linked: 0, missing: [] as Array<HistoryCheck["missing"][number]> }
  const gaps: Array<HistoryCheck["gaps"][number]> = []
  for (const peer of keys) {
    for (const { key, row } of yield* scanRows(ledger, { prefix: Rows.prefix.messages(peer) }, Rows.MessageRow)) {
      result.messages += 1
      const prev = row.proof?.prev
      if (prev === undefined) continue
      result.linked += 1
      if (!known.has(prev)) result.missing.push({ before: MessageLog.toMessage(peer, Rows.orderOf(key), row), prev })
    }
    if (own.has(peer)) continue
    // Numbers of this account mean nothing: its receipts take some, and leave no copy.
    for (const me of own) {
      const devices = new Map<string, Array<number>>()
      const slots = yield* scanRows(ledger, { prefix: `${Rows.prefix.slots}${peer}/${me}/` }, Rows.Slot)
      for (const { id } of slots) {
        const [device = "", seq = ""] = id.split("/").slice(-2)
        devices.set(device, [...(devices.get(device) ?? []), Number(seq)])
      }
      for (const [device, seqs] of devices) {
        for (const gap of gapsIn(seqs)) gaps.push({ from: PrimaryKey.ofHex(peer), device, ...gap })
      }
    }
  }
  return { ...result, gaps }
})
