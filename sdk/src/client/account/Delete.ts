/** Deleting an account: at the home server first, then here. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { BlobStore, Vault } from "../../services/index.ts"
import { ContactBook } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { deleteAll, Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { Lifecycle } from "./Lifecycle.ts"
import { revokeHandle } from "./Registration.ts"

/** See `KezChat.deleteAccount`. Interrupted at any point, it can be called again and removes the rest. */
export const deleteAccount = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const lifecycle = yield* Lifecycle
  const vault = yield* Vault
  const blobs = yield* BlobStore
  const book = yield* ContactBook
  const { movedTo } = yield* account.get
  // A handle that was handed over is not this key's to give up. An empty vault means that an earlier call got this far: only the rest remains.
  if (movedTo === undefined && Option.isSome(yield* vault.load))
    yield* revokeHandle((yield* lifecycle.start()).identity)
  yield* lifecycle.stop
  for (const { hash } of yield* blobs.list) yield* blobs.remove(hash)
  for (const prefix of Rows.everything) yield* deleteAll(ledger, prefix)
  yield* vault.clear
  // The account's own row goes last: without it this could not be called again.
  yield* deleteAll(ledger, Rows.key.account)
  book.reset()
})
