import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { fail, type Failure } from "../../Failure.ts"
import type { Services } from "../../owner/Session.ts"
import * as Profile from "../../profile/Profile.ts"
import { Ask } from "../../terminal/input/Ask.ts"
import { result } from "../../terminal/output/Screen.ts"
import { withAccess } from "../WithAccess.ts"

/** `--confirm HANDLE` is the typed confirmation of a script. */
export const deleteAccount = Effect.fn("DeleteAccount.deleteAccount")(function* (input: {
  readonly confirm: Option.Option<string>
}): Effect.fn.Return<void, Failure, Services> {
  const { paths, profile } = yield* Profile.required
  const handle = profile.handle ?? profile.primary
  const typed = Option.isSome(input.confirm) ? input.confirm.value : yield* ask(handle)
  if (typed.trim() !== handle) {
    return yield* fail(
      "not_confirmed",
      "usage",
      `nothing was deleted: ${JSON.stringify(typed.trim())} is not ${handle}`
    )
  }
  let movedTo: string | undefined
  yield* withAccess(
    { command: "delete-account" },
    Effect.fnUntraced(function* ({ chat }) {
      movedTo = (yield* chat.account).movedTo
      // What the home says only now: what is here was to be deleted all the same.
      yield* Effect.catchTag(chat.deleteAccount, "AccountMoved", ({ to }) => {
        movedTo = to
        return chat.deleteAccount
      })
    })
  )
  yield* Profile.erase(paths)
  yield* result({
    json: () => ({ deleted: handle }),
    text: () =>
      movedTo === undefined
        ? `${handle} is deleted: at the home server, and here with all its messages.`
        : `${handle} is removed here, with all its messages. At the home server another key has the handle, which only its words can give up.`
  })
})

const ask = Effect.fnUntraced(function* (handle: string) {
  const { line, show } = yield* Ask
  yield* show(
    [
      `This deletes ${handle} at the home server and here: the inbox there, contacts, messages and the key here.`,
      "If its key was handed over to another one, it is removed here only.",
      "It cannot be undone, not even with the words, and nobody can take the handle again.",
      ""
    ].join("\n")
  )
  return yield* line(`Type ${handle} to delete it: `)
})
