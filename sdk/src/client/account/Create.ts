/**
 * Making an account, taking one up again from its words, and ending one.
 *
 * Creation has four steps, each kept before the next begins: the seed is in the vault, the account is noted here, its
 * handle is registered, its sigchain names its inbox and its Iroh node. Every step can be repeated without harm, so
 * creation goes on from wherever it was cut off, by calling it again or at the next start.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Id from "../../crypto/Id.ts"
import * as Identity from "../../crypto/Identity.ts"
import * as VerifiedRecord from "../../crypto/VerifiedRecord.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as Handle from "../../protocol/identity/Handle.ts"
import * as Mnemonic from "../../protocol/identity/Mnemonic.ts"
import { Problem } from "../../protocol/Problem.ts"
import type { Crypto } from "../../services/Crypto.ts"
import { Directory } from "../../services/Directory.ts"
import { StoreError } from "../../services/LocalStore.ts"
import { Vault } from "../../services/Vault.ts"
import { IdentityLookup } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import { OwnSigchain } from "../internal/OwnSigchain.ts"
import * as Rows from "../internal/rows/index.ts"
import { AccountExists, type KezChatError, NoAccount } from "../model/index.ts"

const { key } = Rows

/**
 * Answers to a first registration that say that nothing was registered. What `create` kept for it is forgotten again, so
 * that the next try is free to take other words.
 */
const refusals = new Set<Problem["code"]>([
  "handle_taken",
  "handle_reserved",
  "handle_deleted",
  "handle_malformed",
  "primary_taken",
  "clock_skew",
  "wrong_server"
])

const seedOf = (words: Redacted.Redacted<string>) =>
  Effect.map(Effect.fromResult(Mnemonic.toSeed(Redacted.value(words))), (seed) =>
    Redacted.make(seed, { label: "seed" })
  )

/** The store was put where another account's belongs. */
const foreignStore = ({ handle, primary }: Rows.AccountRow, wanted: string): StoreError =>
  new StoreError({
    reason: "foreign",
    detail:
      `it belongs to ${handle} (${primary}), and the key here to ${wanted}: ` +
      "put the store of this account back, or restore the account from its words in another place"
  })

/** Fails where a store holds another account than `primary`. */
export const checkOwner = (ledger: Ledger["Service"], primary: string) =>
  Effect.flatMap(ledger.get(key.account, Rows.Account), (row) =>
    row === undefined || row.primary === primary ? Effect.void : Effect.fail(foreignStore(row, primary))
  )

export class Accounts extends Context.Service<
  Accounts,
  {
    create(handle: string, words: Redacted.Redacted<string>): Effect.Effect<Identity.Identity, KezChatError, Crypto>
    restore(words: Redacted.Redacted<string>): Effect.Effect<Identity.Identity, KezChatError, Crypto>
    /** The identity of the noted account, its seed taken from the vault. */
    readonly open: Effect.Effect<Identity.Identity, KezChatError, Crypto>
    /** Does what is still missing of registration and sigchain; nothing where all is done. */
    finish(identity: Identity.Identity): Effect.Effect<Rows.AccountRow, KezChatError, Crypto>
    readonly words: Effect.Effect<Redacted.Redacted<string>, KezChatError>
    /** Gives the handle up at the home server. Nothing is removed here. */
    revoke(identity: Identity.Identity): Effect.Effect<void, KezChatError, Crypto>
  }
>()("@kez-chat/sdk/Accounts") {}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const lookup = yield* IdentityLookup
  const ownSigchain = yield* OwnSigchain
  const directory = yield* Directory
  const vault = yield* Vault

  /**
   * Keeps the seed, unless this device holds another account's: that one must never be overwritten. Answers whether the
   * vault was empty before.
   */
  const keepSeed = Effect.fnUntraced(function* (seed: Redacted.Redacted<Uint8Array>, identity: Identity.Identity) {
    const row = yield* account.find
    if (row !== undefined && row.primary !== identity.primary) return yield* new AccountExists({ handle: row.handle })
    const held = yield* vault.load
    if (Option.isNone(held)) {
      yield* vault.save(seed)
      return true
    }
    if (!Bytes.equal(Redacted.value(held.value), Redacted.value(seed))) {
      return yield* new AccountExists({ handle: row?.handle ?? "another account, whose seed is in the vault" })
    }
    return false
  })

  /** A statement's time is judged by the server's clock; when they differ, say by how much and whose to look at. */
  const explainSkew = (problem: Problem) =>
    Effect.gen(function* () {
      if (problem.code !== "clock_skew") return yield* problem
      const skew = yield* Effect.result(directory.clockSkewMillis)
      if (Result.isFailure(skew)) return yield* problem
      const seconds = Math.round(Math.abs(skew.success) / 1_000)
      const side = skew.success > 0 ? "behind" : "ahead of"
      return yield* new Problem({
        code: "clock_skew",
        detail: `this device's clock is ${seconds} s ${side} the home server's: set it and try again`
      })
    })

  const register = Effect.fnUntraced(function* (identity: Identity.Identity, row: Rows.AccountRow) {
    const handle = yield* Effect.fromResult(Handle.parse(row.handle))
    const createdAt = yield* Clock.currentTimeMillis
    const statement = { handle: handle.local, server: handle.server, createdAt }
    const record = yield* Effect.flatMap(identity.signRegistration(statement), directory.register).pipe(
      Effect.catchTag("Problem", explainSkew)
    )
    yield* VerifiedRecord.verify(record, { server: handle.server, handle: handle.local, primary: identity.primary })
    const registered: Rows.AccountRow = { ...row, step: "registered" }
    yield* account.save(registered)
    return registered
  })

  const forgetAccount = ledger.transact((transaction) => Effect.sync(() => transaction.delete(key.account)))

  const finish: Accounts["Service"]["finish"] = Effect.fnUntraced(function* (identity) {
    let row: Rows.AccountRow = yield* account.get
    if (row.step === "created") row = yield* register(identity, row)
    if (row.step === "registered") {
      const { head } = yield* ownSigchain.append(identity, () => Effect.undefined)
      row = { ...row, step: "published", ...(head === undefined ? {} : { head }) }
      yield* account.save(row)
    }
    return row
  })

  return Accounts.of({
    create: Effect.fnUntraced(function* (name, words) {
      const seed = yield* seedOf(words)
      const identity = yield* Identity.fromSeed(seed)
      const { server } = yield* directory.wellKnown
      const handle = yield* Effect.fromResult(Handle.parseMention(name, server))
      if (handle.server !== server) {
        return yield* new Problem({ code: "wrong_server", detail: `this home is ${server}, not ${handle.server}` })
      }
      const row = yield* account.find
      // A handle that turned out to be taken may be replaced; one that is registered may not.
      if (row !== undefined && row.step !== "created" && row.handle !== handle.text) {
        return yield* new AccountExists({ handle: row.handle })
      }
      const isNewSeed = yield* keepSeed(seed, identity)
      if (row === undefined || row.handle !== handle.text) {
        yield* account.save({
          handle: handle.text,
          primary: identity.primary,
          server,
          device: row?.device ?? (yield* Id.make),
          step: "created",
          createdAt: yield* Clock.currentTimeMillis
        })
      }
      yield* finish(identity).pipe(
        Effect.tapErrorTag("Problem", (problem) =>
          row === undefined && isNewSeed && refusals.has(problem.code)
            ? Effect.andThen(forgetAccount, vault.clear)
            : Effect.void
        )
      )
      return identity
    }),
    restore: Effect.fnUntraced(function* (words) {
      const seed = yield* seedOf(words)
      const identity = yield* Identity.fromSeed(seed)
      const row = yield* account.find
      if (row !== undefined && row.primary !== identity.primary) return yield* new AccountExists({ handle: row.handle })
      if (row === undefined || row.step === "created") {
        const { server } = yield* directory.wellKnown
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
      yield* finish(identity)
      return identity
    }),
    open: Effect.gen(function* () {
      const row = yield* account.get
      const seed = yield* vault.load
      if (Option.isNone(seed)) return yield* new NoAccount()
      const identity = yield* Identity.fromSeed(seed.value)
      if (identity.primary !== row.primary) {
        const foreign = foreignStore(row, identity.primary)
        ledger.refuse(foreign)
        return yield* foreign
      }
      return identity
    }),
    finish,
    words: Effect.flatMap(vault.load, (seed) =>
      Option.isNone(seed)
        ? Effect.fail(new NoAccount())
        : Effect.succeed(Redacted.make(Mnemonic.fromSeed(Redacted.value(seed.value)), { label: "words" }))
    ),
    revoke: Effect.fnUntraced(function* (identity) {
      const row = yield* account.get
      const handle = yield* Effect.fromResult(Handle.parse(row.handle))
      const createdAt = yield* Clock.currentTimeMillis
      const statement = { handle: handle.local, server: handle.server, createdAt }
      yield* Effect.flatMap(identity.signDeletion(statement), directory.delete).pipe(
        Effect.catchTag("Problem", (problem) =>
          // Cut off last time after the server had deleted it, unknown to a server that was set up anew, or never known
          // to be registered: it is gone in every case.
          problem.code === "handle_deleted" || problem.code === "handle_not_found" || row.step === "created"
            ? Effect.void
            : explainSkew(problem)
        )
      )
    })
  })
})

export const layer = Layer.effect(Accounts, make)
