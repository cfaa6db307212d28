/**
 * Decides for plain callbacks whether a key is active: at once where the key is known to be, and otherwise after asking
 * the database, since another chat-server may have registered it a moment ago.
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { ActiveKeys } from "../storage/ActiveKeys.ts"

/** Calls `f` with whether the key may; with `undefined` where the database cannot say. */
export type ActiveCheck = (hex: string, f: (mayDo: boolean | undefined) => void) => void

export interface ActiveChecks {
  /** Whether the key is active. */
  readonly active: ActiveCheck
  /** Whether it may log in and fetch: a key that handed its handle over may, until retention ends. */
  readonly fetch: ActiveCheck
}

/** Questions that may wait for the database. */
const mostAsking = 2_048

export const make = Effect.gen(function* () {
  const keys = yield* ActiveKeys
  const fork = yield* FiberSet.makeRuntime()
  let asking = 0
  const settle = (f: () => void) => () => {
    asking -= 1
    f()
  }
  const checkOf =
    (may: (hex: string) => boolean): ActiveCheck =>
    (hex, f) => {
      if (may(hex)) return f(true)
      if (asking >= mostAsking) return f(undefined)
      asking += 1
      fork(
        Effect.matchCause(keys.refresh, {
          onSuccess: settle(() => f(may(hex))),
          onFailure: settle(() => f(undefined))
        })
      )
    }
  const checks: ActiveChecks = { active: checkOf(keys.has), fetch: checkOf(keys.mayFetch) }
  return checks
})
