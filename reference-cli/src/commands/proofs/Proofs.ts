/** What identities elsewhere belong to whom: lists the claims of anybody, freshly checked, and takes back one's own. */
import type { Claim, KezChat, KezChatError, Proving } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { describe } from "../../Failure.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import {
  Claims,
  Json,
  note,
  result,
  Sanitise,
  type Screen,
  Show,
  type Style,
  warn
} from "../../terminal/output/index.ts"
import { withAccess } from "../WithAccess.ts"

/** How long a command waits for services, in milliseconds; the check goes on where there is an owner. */
const checkMillis = 30_000

/** The claims of somebody, checked now; if that takes too long or fails, those that are known. */
export const checked = Effect.fn("Proofs.checked")(function* (
  chat: KezChat["Service"],
  who: string
): Effect.fn.Return<ReadonlyArray<Claim>, KezChatError, Screen> {
  const found = yield* Effect.timeoutOption(Effect.result(chat.checkProofs(who)), checkMillis)
  if (Option.isNone(found)) {
    yield* warn("not every service has answered in time: this is what is known so far")
    return yield* chat.proofs(who)
  }
  if (found.value._tag === "Success") return found.value.success
  const error = found.value.failure
  const isOutage = error._tag === "ServerUnreachable" || (error._tag === "Problem" && error.code === "unavailable")
  if (!isOutage) return yield* error
  yield* warn(`${describe(error).message}: this is what was known before`)
  return yield* chat.proofs(who)
})

const unfinished = (provings: ReadonlyArray<Proving>, profile: string, style: Style): ReadonlyArray<string> =>
  provings.flatMap(({ sentence, subject }) => [
    `    ${Sanitise.line(subject)}  ${style.caution("not finished")}`,
    ...(sentence === undefined ? [] : [`        ${style.dim(Sanitise.line(sentence))}`]),
    `        ${CommandLine.line(profile, `prove ${CommandLine.argument(subject)} --wait`)}`
  ])

export interface Input {
  readonly who: Option.Option<string>
  readonly offline: boolean
}

export const proofs = ({ offline, who }: Input) =>
  withAccess(
    { command: "proofs", offline: true },
    Effect.fnUntraced(function* ({ chat, paths }) {
      const account = yield* chat.account
      const name = Option.getOrElse(who, () => account.primary)
      const isOwn = Option.isNone(who)
      const claims = yield* offline ? chat.proofs(name) : checked(chat, name)
      const provings = isOwn ? yield* chat.provings : []
      const shown = yield* isOwn
        ? Effect.succeed(account.handle)
        : Effect.map(Effect.option(chat.contact(name)), (contact) =>
            Option.isSome(contact) ? Show.name(contact.value) : Sanitise.line(name)
          )
      yield* result({
        json: () => ({
          who: shown,
          claims: claims.map(Json.claim),
          ...(isOwn ? { unfinished: provings.map(Json.proving) } : {})
        }),
        text: (style) => [
          style.name(shown),
          ...Claims.table(claims, style),
          ...unfinished(provings, paths.name, style),
          ...(claims.length + provings.length > 0
            ? []
            : isOwn
              ? [
                  "    You have not proven an identity elsewhere yet. For example:",
                  `    ${CommandLine.line(paths.name, "prove github:NAME")}`
                ]
              : [style.dim("    They claim no identity elsewhere.")])
        ]
      })
    })
  )

export const revoke = ({ subject }: { readonly subject: string }) =>
  withAccess(
    { command: "revoke", offline: false },
    Effect.fnUntraced(function* ({ chat }) {
      yield* chat.revokeProof(subject)
      yield* result({
        json: () => ({ revoked: subject }),
        text: (style) => `${style.good("Taken back")} ${Sanitise.line(subject)}: contacts no longer see it as yours`
      })
      yield* note("What you published there stays. Remove it if nobody should find it.")
    })
  )
