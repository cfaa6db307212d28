/** Waits until what was just shared or taken back has left this machine: a command may be all there is of this account. */
import type { KezChat, KezChatError } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { describe } from "../../Failure.ts"
import { type Screen, warn } from "../../terminal/Screen.ts"

type Chat = KezChat["Service"]

/** How long to wait for the home server, in milliseconds. */
const waitMillis = 30_000

/** Whether an attempt to publish the list has failed, so that it is still due. */
const isDue = (chat: Chat): Effect.Effect<boolean, KezChatError> =>
  Effect.map(chat.shared, (shares) => shares.some(({ manifest }) => manifest === "pending"))

/** True when offers and list have arrived at the home; else it is said that `rest` happens with the next command online. */
export const delivered = (chat: Chat, rest: string): Effect.Effect<boolean, never, Screen> => {
  const late = (why: string) => Effect.as(warn(`${why}: ${rest} with the next command that is online`), false)
  return Effect.andThen(chat.flush, isDue(chat)).pipe(
    Effect.timeoutOption(waitMillis),
    Effect.matchEffect({
      onSuccess: (due) => {
        if (Option.isNone(due)) return late("the home server did not answer in time")
        return due.value ? late("the list of what you share could not be published") : Effect.succeed(true)
      },
      onFailure: (error) => late(describe(error).message)
    })
  )
}
