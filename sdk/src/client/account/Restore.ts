/** Restoring an account from its words: the home server knows its handle by the key. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Id from "../../crypto/Id.ts"
import * as Identity from "../../crypto/Identity.ts"
import { Directory } from "../../services/Directory.ts"
import { IdentityLookup } from "../contacts/index.ts"
import { CurrentAccount, toAccount } from "../internal/CurrentAccount.ts"
import { AccountExists } from "../model/index.ts"
import { Lifecycle } from "./Lifecycle.ts"
import { finishCreation } from "./Registration.ts"
import { keepSeed } from "./Seed.ts"
import { seedOf } from "./Words.ts"

/** See `KezChat.restore`. */
export const restore = Effect.fn("restore")(function* (words: Redacted.Redacted<string>) {
  const account = yield* CurrentAccount
  const directory = yield* Directory
  const lifecycle = yield* Lifecycle
  const lookup = yield* IdentityLookup
  const seed = yield* seedOf(words)
  const identity = yield* Identity.fromSeed(seed)
  const row = yield* account.find
  if (row !== undefined && row.primary !== identity.primary) return yield* new AccountExists({ handle: row.handle })
  if (row === undefined || row.step === "created") {
    const { server } = yield* directory.wellKnown
    // Before anything is stored: words without a handle leave nothing behind.
    const { record } = yield* lookup.byPrimary(identity.primary, server)
    yield* keepSeed(seed, identity)
    yield* account.save({
      handle: record.handle,
      primary: identity.primary,
      server,
      device: row?.device ?? (yield* Id.make),
      step: "registered",
      createdAt: yield* Clock.currentTimeMillis
    })
  } else yield* keepSeed(seed, identity)
  yield* finishCreation(identity)
  return toAccount((yield* lifecycle.start(identity)).account())
})
