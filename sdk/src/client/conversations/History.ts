/** The use case `history`. A contact that changed its key has one history, over all its keys. */
import * as Effect from "effect/Effect"
import { PrimaryKey } from "../../protocol/index.ts"
import { ContactBook } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import type * as Rows from "../internal/rows/index.ts"
import { MessageLog } from "../messaging/index.ts"
import type { HistoryPage } from "../model/index.ts"

const defaultLimit = 50

/** The keys of a contact in hex: the present one first, then those that it replaced. */
export const keysOf = ({ former, primary }: Rows.ContactRow): readonly [string, ...ReadonlyArray<string>] => [
  PrimaryKey.hexOf(primary),
  ...former
]

/** The contact that `who` names, or the account itself. */
export const find = Effect.fnUntraced(function* (who: string) {
  const book = yield* ContactBook
  const account = yield* CurrentAccount
  return yield* book.find(who, yield* account.get)
})

/** See `KezChat.history`. */
export const history = Effect.fn("history")(function* (
  who: string,
  { after, around, before, limit: wanted = defaultLimit }: HistoryPage = {}
) {
  const ledger = yield* Ledger
  const keys = keysOf(yield* find(who))
  const limit = Math.max(0, wanted)
  if (after !== undefined) return yield* MessageLog.oldest(ledger, keys, { after, limit })
  const end = around ?? before
  const half = around === undefined ? limit : Math.floor(limit / 2)
  const older = yield* MessageLog.newest(ledger, keys, { ...(end === undefined ? {} : { before: end }), limit: half })
  if (around === undefined) return older.toReversed()
  const from = Math.max(0, around - 1)
  const newer = yield* MessageLog.oldest(ledger, keys, { after: from, limit: limit - half })
  return [...older.toReversed(), ...newer]
})
