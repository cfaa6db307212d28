/** How a person names a file: by the id of an offer, as `@user/entry` with the entry's id or path, or by a ticket. */
import * as Result from "effect/Result"
import { Blank, KezId, Ticket } from "../../../protocol/index.ts"
import { fail, Problem } from "../../../protocol/Problem.ts"

export type FileRef =
  | { readonly _tag: "Offer"; readonly text: string; readonly id: string }
  /** `who` may name a home, as in `@chris@kez.lat/reports/q3.pdf`; `entry` is an id or a path. */
  | { readonly _tag: "Entry"; readonly text: string; readonly who: string; readonly entry: string }
  | { readonly _tag: "Ticket"; readonly text: string; readonly ticket: Ticket.Ticket }

/** The problem of a reference that leads to no file. */
export const notFound = (text: string, detail: string): Problem =>
  new Problem({ code: "file_not_found", detail: `${text.length > 80 ? `${text.slice(0, 79)}…` : text}: ${detail}` })

/** Whether a text has the form of a message's or an entry's id, which is that of a `Kez-Id` too. */
export const isId = KezId.isKezId

/** Fails with `file_not_found` if the text has none of the forms, or with the problem of a malformed ticket. */
export const parse = (fileRef: string): Result.Result<FileRef, Problem> => {
  const text = fileRef.trim()
  if (Blank.isBlank(text)) return fail("file_not_found", "an empty name stands for no file: name one")
  const slash = text.indexOf("/")
  if (text.startsWith("@") && slash >= 2 && slash < text.length - 1) {
    const who = text.slice(text.startsWith("@ed25519:") ? 1 : 0, slash)
    return Result.succeed({ _tag: "Entry", text, who, entry: text.slice(slash + 1) })
  }
  if (isId(text)) return Result.succeed({ _tag: "Offer", text, id: text })
  const ticket = Ticket.decode(text)
  if (Result.isSuccess(ticket)) return Result.succeed({ _tag: "Ticket", text, ticket: ticket.success })
  if (text.startsWith("blob")) return Result.fail(ticket.failure)
  return Result.fail(notFound(text, "this is neither the id of an offer, nor @user/entry, nor a ticket"))
}
