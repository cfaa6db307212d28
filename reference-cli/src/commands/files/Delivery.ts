/** Waits until a new or removed share has reached the home server: no other process may be left to publish it. */
import type { KezChat, KezChatError } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { describe } from "../../Failure.ts"

type Chat = KezChat["Service"]

/** How long to wait for the home server, in milliseconds. */
const waitMillis = 30_000

/** The warning about a list that could not be published. */
export const unpublished = "the list of what you share could not be published"

/** Why the list is still pending after an attempt to publish it; undefined if it is published. */
const dueOf = (chat: Chat): Effect.Effect<string | undefined, KezChatError> =>
  Effect.map(chat.shared, (shares) => {
    const pending = shares.find(({ manifest }) => manifest === "pending")
    if (pending === undefined) return undefined
    return pending.problem === undefined ? unpublished : `${unpublished}: ${pending.problem.detail}`
  })

/** Why offers and list have not reached the home server; undefined if they have. Later commands try again. */
export const undelivered = (chat: Chat): Effect.Effect<string | undefined> =>
  Effect.andThen(chat.flush, dueOf(chat)).pipe(
    Effect.timeoutOption(waitMillis),
    Effect.match({
      onSuccess: Option.getOrElse((): string | undefined => "the home server did not answer in time"),
      onFailure: (error) => describe(error).message
    })
  )

/** Why some of these removed shares are still listed at the home server; undefined if none is. */
export const undelisted = Effect.fn("Delivery.undelisted")(
  function* (chat: Chat, ids: ReadonlyArray<string>) {
    const late = yield* undelivered(chat)
    if (late !== undefined) return late
    const { primary } = yield* chat.account
    const { files } = yield* chat.browse(primary)
    return files.some(({ id }) => ids.includes(id)) ? unpublished : undefined
  },
  Effect.catch((error) => Effect.succeed(describe(error).message))
)
