import type { Contact, KezChat, KezChatError } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { describe, type Failure } from "../Failure.ts"
import { type Access, access, type Options, type Services } from "../owner/Session.ts"
import { type Screen, warn } from "../terminal/output/Screen.ts"

/** Runs a command with the account of its profile. */
export const withAccess = <R>(
  options: Options,
  use: (access: Access) => Effect.Effect<void, Failure, R | Scope.Scope>
): Effect.Effect<void, Failure, Exclude<R, Scope.Scope> | Services> =>
  Effect.scoped(Effect.flatMap(access(options), use))

/** How long a command waits for what is new before it shows what it has, in milliseconds. */
const syncMillis = 10_000

/** Takes in what is new. Where that cannot be done the command goes on with what is here, and says so. */
export const caughtUp = (chat: KezChat["Service"]): Effect.Effect<void, never, Screen> =>
  chat.sync.pipe(
    Effect.timeoutOption(syncMillis),
    Effect.matchEffect({
      onSuccess: (done) =>
        done._tag === "Some"
          ? Effect.void
          : warn("the home server did not answer in time: this is what was here before"),
      onFailure: (error) => warn(`${describe(error).message}: this is what was here before`)
    })
  )

/** Lets receipts that are due go out before the command ends. They go out later where that cannot be done. */
export const sentOff = (chat: KezChat["Service"]): Effect.Effect<void> =>
  Effect.ignore(Effect.timeout(chat.flush, 3_000))

/** How long to wait for the home server to name somebody who just wrote for the first time, in milliseconds. */
const namingMillis = 3_000

/**
 * Who has just written is known by key first, and by handle when the home server has named them: waits for that. A key
 * that is offered for a contact never gets a name.
 */
export const named = (chat: KezChat["Service"]): Effect.Effect<void, KezChatError> => {
  const nameless = Effect.map(chat.contacts, (all) => {
    const offered = new Set(all.map((contact) => contact.offered?.primary))
    return all.some(
      ({ handle, primary, state }) => state === "requested" && handle === primary && !offered.has(primary)
    )
  })
  const again = (left: number): Effect.Effect<void, KezChatError> =>
    Effect.flatMap(nameless, (waiting) =>
      waiting && left > 0 ? Effect.andThen(Effect.sleep(100), again(left - 1)) : Effect.void
    )
  return again(namingMillis / 100)
}

/** A contact by handle, also one who has just written. */
export const contactOf = (chat: KezChat["Service"], who: string): Effect.Effect<Contact, KezChatError> =>
  chat.contact(who).pipe(Effect.catchTag("ContactUnknown", () => Effect.andThen(named(chat), chat.contact(who))))
