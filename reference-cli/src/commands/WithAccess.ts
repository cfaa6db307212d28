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

/** How long a command waits for new messages before it shows what is stored, in milliseconds. */
const syncMillis = 10_000

/** Fetches new messages. If that fails, the command continues with what is stored, and warns. */
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

/** Sends pending receipts before the command ends. If that fails, a later command sends them. */
export const sentOff = (chat: KezChat["Service"]): Effect.Effect<void> =>
  Effect.ignore(Effect.timeout(chat.flush, 3_000))

/** How long to wait for the home server to name a new sender, in milliseconds. */
const namingMillis = 3_000

/** Waits until the home has named new senders. A key that is offered for a contact never gets a handle. */
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

/** A contact by handle, including one who has just written for the first time. */
export const contactOf = (chat: KezChat["Service"], who: string): Effect.Effect<Contact, KezChatError> =>
  chat.contact(who).pipe(Effect.catchTag("ContactUnknown", () => Effect.andThen(named(chat), chat.contact(who))))
