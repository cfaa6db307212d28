/** The use cases `draft` and `setDraft`: text that the user has not sent yet. */
import * as Effect from "effect/Effect"
import { Blank } from "../../protocol/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Events } from "../internal/Events.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { chainOf, SendableText } from "../messaging/index.ts"
import { ContactUnknown } from "../model/index.ts"
import { find, keysOf } from "./History.ts"

/** The draft under any key of a contact: it was written for one that the contact may have replaced. */
const read = Effect.fnUntraced(function* (reader: Pick<Transaction, "get">, keys: ReadonlyArray<string>) {
  for (const hex of keys) {
    const row = yield* reader.get(Rows.key.draft(hex), Rows.Draft)
    if (row !== undefined) return row.text
  }
  return ""
})

/** See `KezChat.draft`. */
export const draft = Effect.fn("draft")(function* (who: string) {
  return yield* read(yield* Ledger, keysOf(yield* find(who)))
})

/** See `KezChat.setDraft`. */
export const setDraft = Effect.fn("setDraft")(function* (who: string, given: string) {
  const ledger = yield* Ledger
  const events = yield* Events
  const account = yield* (yield* CurrentAccount).get
  const row = yield* find(who)
  const text = Blank.isBlank(given) ? "" : given
  if (text !== "") yield* SendableText.check(text, chainOf(account))
  const keys = keysOf(row)
  yield* ledger.transact(
    Effect.fnUntraced(function* (transaction: Transaction) {
      const isKnown = row.primary === account.primary || (yield* transaction.has(Rows.key.contact(keys[0])))
      if (!isKnown) return yield* new ContactUnknown({ who })
      if ((yield* read(transaction, keys)) === text) return
      for (const hex of keys) transaction.delete(Rows.key.draft(hex))
      if (text !== "") transaction.put(Rows.key.draft(keys[0]), Rows.Draft, { text })
      transaction.onCommit(() => events.publish({ _tag: "Draft", peer: row.primary, text }))
    })
  )
})
