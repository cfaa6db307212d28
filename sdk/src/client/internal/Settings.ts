/** The user's settings for the account on this device. */
import * as Effect from "effect/Effect"
import type { StoreError } from "../../services/LocalStore.ts"
import type { Settings } from "../model/index.ts"
import { Ledger, type Transaction } from "./Ledger.ts"
import * as Rows from "./rows/index.ts"

const defaults: Settings = {
  readReceipts: false,
  inbox: "everyone",
  provenBy: { systems: [], domains: [] },
  introductions: false,
  autoTrim: false
}

/** The settings in the store, or as a transaction sees them. */
export const readSettings = (from: Pick<Transaction, "get">): Effect.Effect<Settings, StoreError> =>
  Effect.map(from.get(Rows.key.settings, Rows.Settings), (row) => ({ ...defaults, ...row }))

/** Changes the given settings and leaves the others. */
export const updateSettings = Effect.fnUntraced(function* (change: Partial<Settings>) {
  const ledger = yield* Ledger
  return yield* ledger.transact((transaction) =>
    Effect.map(readSettings(transaction), (before) => {
      const after: Settings = { ...before, ...change }
      transaction.put(Rows.key.settings, Rows.Settings, after)
      return after
    })
  )
})
