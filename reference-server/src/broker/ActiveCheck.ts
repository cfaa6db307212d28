/**
 * Decides for plain callbacks whether a key is active: at once where the key is known to be, and otherwise after asking
 * the database, since another chat-server may have registered it a moment ago.
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { ActiveKeys } from "../storage/ActiveKeys.ts"

/** Calls `f` with whether the key is active; with `undefined` where the database cannot say. */
export type ActiveCheck = (hex: string, f: (isActive: boolean | undefined) => void) => void

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
  const check: ActiveCheck = (hex, f) => {
    if (keys.has(hex)) return f(true)
    if (asking >= mostAsking) return f(undefined)
    asking += 1
    fork(
      Effect.matchCause(keys.refresh, {
        onSuccess: settle(() => f(keys.has(hex))),
        onFailure: settle(() => f(undefined))
      })
    )
  }
  return check
})
