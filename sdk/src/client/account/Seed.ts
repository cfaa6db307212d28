/** The seed in the vault, and whether the store belongs to it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Identity from "../../crypto/Identity.ts"
import { ofHex } from "../../protocol/identity/PrimaryKey.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import { StoreError, Vault } from "../../services/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import type { AccountRow } from "../internal/rows/index.ts"
import * as Rows from "../internal/rows/index.ts"
import { AccountExists, NoAccount } from "../model/index.ts"

const foreignStore = ({ handle, primary }: AccountRow, wanted: string): StoreError =>
  new StoreError({
    reason: "foreign",
    detail:
      `it belongs to ${handle} (${primary}), and the key here to ${wanted}: ` +
      "put the store of this account back, or restore the account from its words in another place"
  })

/** Fails with `StoreError` `foreign` if the store holds an account other than `primary`. */
export const checkOwner = Effect.fnUntraced(function* (primary: string) {
  const account = yield* CurrentAccount
  const ledger = yield* Ledger
  const row = yield* account.find
  if (row === undefined || row.primary === primary) return
  // Named by the key that it had before a rotation, of which its caller has not heard.
  if (row.former?.some((hex) => ofHex(hex) === primary) === true) return
  // The vault may have the next key's seed already, and the store not yet.
  const rotation = yield* ledger.get(Rows.key.rotation, Rows.Rotation)
  if (rotation?.to !== primary || rotation.step !== "transferred") return yield* foreignStore(row, primary)
})

/** Saves the seed unless this device holds another account, which is never overwritten. Whether the vault was empty. */
export const keepSeed = Effect.fnUntraced(function* (seed: Redacted.Redacted<Uint8Array>, identity: Identity.Identity) {
  const account = yield* CurrentAccount
  const vault = yield* Vault
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

/** The account's identity, from the seed in the vault. From a seed of another account on, the store refuses every call. */
export const openIdentity = Effect.gen(function* () {
  const account = yield* CurrentAccount
  const ledger = yield* Ledger
  const vault = yield* Vault
  const row = yield* account.get
  const seed = yield* vault.load
  if (Option.isNone(seed)) return yield* new NoAccount()
  const identity = yield* Identity.fromSeed(seed.value)
  if (identity.primary === row.primary) return identity
  const foreign = foreignStore(row, identity.primary)
  ledger.refuse(foreign)
  return yield* foreign
})
