/** The warning while the owner's store cannot save new messages. */
import type { Event } from "@kez-chat/sdk"
import type { ProfilePaths } from "../../profile/Paths.ts"

type Failing = Pick<Extract<Event, { readonly _tag: "StoreFailing" }>, "reason" | "detail">

/** One sentence: what is wrong, where the messages are, and when it ends. */
export const sentence = ({ detail, reason }: Failing, { store }: Pick<ProfilePaths, "store">): string =>
  reason === "full"
    ? `the disk of ${store} is full: messages wait at the home server until there is room`
    : `${detail}: messages wait at the home server until it can be written`

export const recovered = "messages can be stored again"
