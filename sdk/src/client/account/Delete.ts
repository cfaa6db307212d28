/** Ending an account: at the home server first, then here. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { BlobStore } from "../../services/BlobStore.ts"
import { Vault } from "../../services/Vault.ts"
import { ContactBook } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { deleteAll, Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { Accounts } from "./Create.ts"
import { Lifecycle } from "./Lifecycle.ts"

/** See `KezChat.deleteAccount`. Cut off at any moment, it can be called again and finds what is left. */
export const deleteAccount = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const accounts = yield* Accounts
  const lifecycle = yield* Lifecycle
  const vault = yield* Vault
  const blobs = yield* BlobStore
  const book = yield* ContactBook
  yield* account.get
  // Without a seed an earlier call got as far as clearing the vault: only the rest is left to do.
  if (Option.isSome(yield* vault.load)) yield* accounts.revoke((yield* lifecycle.start()).identity)
  yield* lifecycle.stop
  for (const { hash } of yield* blobs.list) yield* blobs.remove(hash)
  for (const prefix of Rows.everything) yield* deleteAll(ledger, prefix)
  yield* vault.clear
  // The account's own row goes last: without it nobody could call this again.
  yield* deleteAll(ledger, Rows.key.account)
  book.reset()
})
