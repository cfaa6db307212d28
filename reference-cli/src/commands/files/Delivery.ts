/** Waits until what was just shared or taken back has left this machine: a command may be all there is of this account. */
import type { KezChat, KezChatError } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { describe } from "../../Failure.ts"

type Chat = KezChat["Service"]

/** How long to wait for the home server, in milliseconds. */
const waitMillis = 30_000

/** Whether an attempt to publish the list has failed, so that it is still due. */
const isDue = (chat: Chat): Effect.Effect<boolean, KezChatError> =>
  Effect.map(chat.shared, (shares) => shares.some(({ manifest }) => manifest === "pending"))

/** Why offers and list have not arrived at the home; undefined when they have. What is due goes out with a later command. */
export const undelivered = (chat: Chat): Effect.Effect<string | undefined> =>
  Effect.andThen(chat.flush, isDue(chat)).pipe(
    Effect.timeoutOption(waitMillis),
    Effect.match({
      onSuccess: (due) => {
        if (Option.isNone(due)) return "the home server did not answer in time"
        return due.value ? "the list of what you share could not be published" : undefined
      },
      onFailure: (error) => describe(error).message
    })
  )
