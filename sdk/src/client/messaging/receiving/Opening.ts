/** Opening the frames of an inbox, and what it means that one does not open. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as SealedMessage from "../../../crypto/SealedMessage.ts"
import { Problem } from "../../../protocol/Problem.ts"
import type { Crypto } from "../../../services/index.ts"
import type { Session } from "../../internal/Session.ts"
import type { Outbox } from "../Outbox.ts"

/** The result of opening a frame. */
export type Outcome =
  | { readonly _tag: "Opened"; readonly opened: SealedMessage.Opened }
  | { readonly _tag: "OwnCopy" }
  | { readonly _tag: "Unreadable"; readonly problem: Problem }
  /** Not readable by this version, or not at present: the raw frame is kept and tried again. */
  | { readonly _tag: "Later"; readonly problem: Problem }

/** Problems that a later version of this program may not have with the same frame (KEZ-SEQ-020). */
const laterCodes = new Set<Problem["code"]>(["suite_unsupported", "algorithm_unsupported", "internal"])

/** Opens a frame, which changes nothing. */
export const open = (
  outbox: Outbox["Service"],
  session: Session,
  frame: Uint8Array
): Effect.Effect<Outcome, never, Crypto> =>
  Effect.suspend(() => {
    if (outbox.isOwnCopy(frame)) return Effect.succeed<Outcome>({ _tag: "OwnCopy" })
    const opening = SealedMessage.openFrame(session.identity, frame)
    return Effect.map(Effect.exit(opening), (exit): Outcome => {
      if (Exit.isSuccess(exit)) return { _tag: "Opened", opened: exit.value }
      const failure = Cause.findErrorOption(exit.cause)
      const problem =
        failure._tag === "Some"
          ? failure.value
          : new Problem({ code: "internal", detail: Cause.pretty(exit.cause).split("\n")[0] ?? "" })
      return { _tag: laterCodes.has(problem.code) ? "Later" : "Unreadable", problem }
    })
  })

/** Opens a frame that was stored here, perhaps under a former key; and the session of the key that opens it. */
export const openStored = Effect.fnUntraced(function* (outbox: Outbox["Service"], session: Session, frame: Uint8Array) {
  let found = { as: session, outcome: yield* open(outbox, session, frame) }
  for (const identity of session.former ?? []) {
    if (found.outcome._tag === "Opened") break
    const as: Session = { identity, account: session.account, isRetired: true }
    const outcome = yield* open(outbox, as, frame)
    if (outcome._tag === "Opened" || found.outcome._tag === "Unreadable") found = { as, outcome }
  }
  return found
})

/** Milliseconds of opening frames after which timers, sockets and the user's own calls have their turn. */
const turnMillis = 20

/** To be run before each frame of a page, which may be opened without a pause otherwise. */
export const turns = (): Effect.Effect<void> => {
  let turnAt = performance.now()
  return Effect.suspend(() => {
    if (performance.now() - turnAt < turnMillis) return Effect.void
    return Effect.map(Effect.yieldNow, () => void (turnAt = performance.now()))
  })
}
