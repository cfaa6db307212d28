/** The row of the account that this store belongs to. Nothing else writes that row. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Account, NoAccount } from "../model/index.ts"
import { Events } from "./Events.ts"
import { Ledger, type Transaction } from "./Ledger.ts"
import * as Rows from "./rows/index.ts"

/** The account as callers see it. */
export const toAccount = ({ device, handle, movedTo, primary, server, step }: Rows.AccountRow): Account => ({
  handle,
  primary,
  device,
  server,
  step,
  ...(movedTo === undefined ? {} : { movedTo })
})

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  let latest: Rows.AccountRow | undefined
  /** The row that events told of last, or the first one that was read: one may be read before it is told of. */
  let told: Rows.AccountRow | undefined
  let isRead = false

  const find = Effect.suspend(() => {
    const before = latest
    return Effect.tap(ledger.get(Rows.key.account, Rows.Account), (row) =>
      Effect.sync(() => {
        // What was read may be older than a row that was committed meanwhile.
        if (latest === before) latest = row
        if (!isRead) told = row
        isRead = true
      })
    )
  })

  const put = (transaction: Transaction, row: Rows.AccountRow) => {
    transaction.put(Rows.key.account, Rows.Account, row)
    transaction.onDurable(() => {
      const isStep = told?.step !== row.step || told.primary !== row.primary
      const isMoved = row.movedTo !== undefined && told?.movedTo === undefined
      latest = told = row
      isRead = true
      if (isMoved) events.publish({ _tag: "HandedOver", account: toAccount(row) })
      if (isStep) events.publish({ _tag: "Account", account: toAccount(row) })
    })
  }

  return {
    /** The row, or undefined before an account was created or restored. */
    find,
    /** The row; fails with `NoAccount` if there is none. */
    get: Effect.gen(function* () {
      return (yield* find) ?? (yield* new NoAccount())
    }),
    /** The row as it was last read or committed; throws before. For code that runs within a session. */
    latest: () => {
      if (latest === undefined) throw new Error("no account has been read")
      return latest
    },
    /** Stages the row; `latest` returns it once it is committed. */
    put,
    /** `put` in a transaction of its own. */
    save: (row: Rows.AccountRow) => ledger.transact((transaction) => Effect.sync(() => put(transaction, row)))
  }
})

export class CurrentAccount extends Context.Service<CurrentAccount>()("@kez-chat/sdk/CurrentAccount", { make }) {}

export const layer = Layer.effect(CurrentAccount, make)
