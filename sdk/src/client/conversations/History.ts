/** The use case `history`. A contact that changed its key has one history, over all its keys. */
import * as Effect from "effect/Effect"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import { ContactBook } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import { MessageLog } from "../messaging/index.ts"

/** The keys of a contact in hex: the present one first, then those that it replaced. */
export const keysOf = Effect.fnUntraced(function* (who: string) {
  const book = yield* ContactBook
  const account = yield* CurrentAccount
  const row = yield* book.find(who, yield* account.get)
  return [PrimaryKey.hexOf(row.primary), ...row.former]
})

/** See `KezChat.history`. */
export const history = Effect.fn("history")(function* (
  who: string,
  page?: { readonly before?: number; readonly limit?: number }
) {
  return yield* MessageLog.newest(yield* Ledger, yield* keysOf(who), page)
})
