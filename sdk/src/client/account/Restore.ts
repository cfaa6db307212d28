/** Restoring an account from its words: the home server knows its handle by the key. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as FormerSeed from "../../crypto/FormerSeed.ts"
import * as Id from "../../crypto/Id.ts"
import * as Identity from "../../crypto/Identity.ts"
import { Directory, Vault } from "../../services/index.ts"
import { IdentityLookup } from "../contacts/index.ts"
import { CurrentAccount, toAccount } from "../internal/CurrentAccount.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { AccountExists, RotationRefused } from "../model/index.ts"
import { Lifecycle } from "./Lifecycle.ts"
import { finishCreation } from "./Registration.ts"
import { keepSeed } from "./Seed.ts"
import { seedOf } from "./Words.ts"

/** The former keys, each followed by the one that it was handed over to, which their chains say. */
const lineOf = Effect.fnUntraced(function* (
  identity: Identity.Identity,
  former: ReadonlyArray<Redacted.Redacted<string>>
) {
  const lookup = yield* IdentityLookup
  const known = new Map<
    string,
    { readonly seed: Redacted.Redacted<Uint8Array>; readonly identity: Identity.Identity }
  >()
  for (const words of former) {
    const seed = yield* seedOf(words)
    const each = yield* Identity.fromSeed(seed)
    known.set(each.primary, { seed, identity: each })
  }
  const line: Array<{ readonly hex: string; readonly row: Rows.FormerRow }> = []
  const holders = [identity]
  for (const holder of holders) {
    for (const [primary, each] of known) {
      const chain = yield* lookup.chain(primary)
      if (chain.state.rotatedTo !== holder.primary) continue
      known.delete(primary)
      holders.push(each.identity)
      line.push({
        hex: each.identity.key.hex,
        row: {
          seed: yield* FormerSeed.seal(each.seed, each.identity.key, holder.key),
          sealedTo: holder.key.hex,
          at: yield* Clock.currentTimeMillis
        }
      })
    }
  }
  const [stray] = known.keys()
  if (stray === undefined) return line
  const detail = `the sigchain of ${stray} does not lead to the key of this account: its words are of another account`
  return yield* new RotationRefused({ reason: "not_former", detail })
})

const keepLine = (line: Effect.Success<ReturnType<typeof lineOf>>) =>
  Effect.flatMap(Ledger, (ledger) =>
    line.length === 0
      ? Effect.void
      : ledger.transact(
          Effect.fnUntraced(function* (transaction: Transaction) {
            const account = yield* CurrentAccount
            const row = yield* transaction.get(Rows.key.account, Rows.Account)
            if (row === undefined) return
            for (const { hex, row: former } of line) {
              const before = yield* transaction.get(Rows.key.former(hex), Rows.Former)
              if (before === undefined) transaction.put(Rows.key.former(hex), Rows.Former, former)
            }
            const keys = [...new Set([...(row.former ?? []), ...line.map(({ hex }) => hex)])]
            account.put(transaction, { ...row, former: keys })
          })
        )
  )

/** The words of the key that this device's account was handed over to: its store goes on with that key. */
const adopt = Effect.fnUntraced(function* (
  row: Rows.AccountRow,
  seed: Redacted.Redacted<Uint8Array>,
  identity: Identity.Identity
) {
  const ledger = yield* Ledger
  const lookup = yield* IdentityLookup
  const vault = yield* Vault
  const held = yield* vault.load
  if (Option.isNone(held)) return false
  const old = yield* Identity.fromSeed(held.value)
  if (old.primary !== row.primary) return false
  const { rotatedTo } = (yield* lookup.chain(old.primary)).state
  // This device may have missed some rotations; what keys in between got comes with their words.
  if (!(yield* lookup.line(rotatedTo)).includes(identity.primary)) return false
  // Not before the home has put the new key in the place of the old one.
  const { record } = yield* lookup.byPrimary(identity.primary, row.server)
  if (record.handle !== row.handle) return false
  const rotation: Rows.RotationRow = {
    to: identity.primary,
    step: "transferred",
    seed: yield* FormerSeed.seal(seed, identity.key, old.key),
    former: yield* FormerSeed.seal(held.value, old.key, identity.key)
  }
  yield* ledger.transact((transaction) =>
    Effect.sync(() => transaction.put(Rows.key.rotation, Rows.Rotation, rotation))
  )
  return true
})

/** See `KezChat.restore`. */
export const restore = Effect.fn("restore")(function* (
  words: Redacted.Redacted<string>,
  former: ReadonlyArray<Redacted.Redacted<string>> = []
) {
  const account = yield* CurrentAccount
  const directory = yield* Directory
  const lifecycle = yield* Lifecycle
  const lookup = yield* IdentityLookup
  const seed = yield* seedOf(words)
  const identity = yield* Identity.fromSeed(seed)
  const before = yield* account.find
  if (before !== undefined && before.primary !== identity.primary) {
    if (!(yield* adopt(before, seed, identity))) return yield* new AccountExists({ handle: before.handle })
    yield* lifecycle.restart
  }
  const row = yield* account.find
  const line = former.length === 0 ? [] : yield* lineOf(identity, former)
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
  yield* keepLine(line)
  yield* finishCreation(identity)
  // A session from before does not know the former keys.
  if (line.length > 0) yield* lifecycle.stop
  return toAccount((yield* lifecycle.start(identity)).account())
})
