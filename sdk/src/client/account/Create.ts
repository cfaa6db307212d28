/**
 * Creating an account.
 *
 * Four steps, each durable before the next begins: the seed is in the vault, the account's row is in the store, the handle
 * is registered, the sigchain names the inbox and the Iroh node. Each step can be repeated without harm, so creation
 * resumes where it was cut off: when it is called again, or at the next start.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Id from "../../crypto/Id.ts"
import * as Identity from "../../crypto/Identity.ts"
import * as Handle from "../../protocol/identity/Handle.ts"
import { Problem } from "../../protocol/Problem.ts"
import { Directory, Vault } from "../../services/index.ts"
import { CurrentAccount, toAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { AccountExists } from "../model/index.ts"
import { Lifecycle } from "./Lifecycle.ts"
import { finishCreation } from "./Registration.ts"
import { keepSeed } from "./Seed.ts"
import { seedOf } from "./Words.ts"

/**
 * Answers to a first registration by which nothing was registered. What `create` stored for it is removed again, so that
 * the next attempt may use other words.
 */
const refusals: ReadonlySet<Problem["code"]> = new Set([
  "handle_taken",
  "handle_reserved",
  "handle_deleted",
  "handle_malformed",
  "account_suspended",
  "invite_required",
  "invite_invalid",
  "registration_closed",
  "primary_taken",
  "clock_skew",
  "wrong_server"
])

const forget = Effect.gen(function* () {
  const ledger = yield* Ledger
  const vault = yield* Vault
  yield* ledger.transact((transaction) => Effect.sync(() => transaction.delete(Rows.key.account)))
  yield* vault.clear
})

/** See `KezChat.create`. */
export const create = Effect.fn("create")(function* (
  name: string,
  words: Redacted.Redacted<string>,
  invite: string | undefined
) {
  const account = yield* CurrentAccount
  const directory = yield* Directory
  const lifecycle = yield* Lifecycle
  const seed = yield* seedOf(words)
  const identity = yield* Identity.fromSeed(seed)
  const { server } = yield* directory.wellKnown
  const handle = yield* Effect.fromResult(Handle.parseMention(name, server))
  if (handle.server !== server) {
    return yield* new Problem({ code: "wrong_server", detail: `this home is ${server}, not ${handle.server}` })
  }
  const row = yield* account.find
  // A handle that turned out to be taken may be replaced, a registered one may not.
  if (row !== undefined && row.step !== "created" && row.handle !== handle.text) {
    return yield* new AccountExists({ handle: row.handle })
  }
  const isNewSeed = yield* keepSeed(seed, identity)
  const kept = invite ?? row?.invite
  if (row === undefined || row.handle !== handle.text || (row.step === "created" && row.invite !== kept)) {
    yield* account.save({
      handle: handle.text,
      primary: identity.primary,
      server,
      device: row?.device ?? (yield* Id.make),
      step: "created",
      createdAt: yield* Clock.currentTimeMillis,
      ...(kept === undefined ? {} : { invite: kept })
    })
  }
  yield* finishCreation(identity).pipe(
    Effect.tapErrorTag("Problem", (problem) =>
      row === undefined && isNewSeed && refusals.has(problem.code) ? forget : Effect.void
    )
  )
  return toAccount((yield* lifecycle.start(identity)).account())
})
