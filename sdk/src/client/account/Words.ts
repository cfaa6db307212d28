/** The account's seed as words (spec/identity.md). */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Mnemonic from "../../protocol/identity/Mnemonic.ts"
import { Vault } from "../../services/Vault.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { NoAccount } from "../model/index.ts"

export const seedOf = (words: Redacted.Redacted<string>) =>
  Effect.map(Effect.fromResult(Mnemonic.toSeed(Redacted.value(words))), (seed) =>
    Redacted.make(seed, { label: "seed" })
  )

/** See `KezChat.words`. */
export const words = Effect.gen(function* () {
  const account = yield* CurrentAccount
  const vault = yield* Vault
  yield* account.get
  const seed = yield* vault.load
  if (Option.isNone(seed)) return yield* new NoAccount()
  return Redacted.make(Mnemonic.fromSeed(Redacted.value(seed.value)), { label: "words" })
})
