import * as Effect from "effect/Effect"
import { describe, fail } from "../../Failure.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import {
  Claims,
  Json,
  KeyChange,
  result,
  Sanitise,
  Screen,
  Show,
  type Style,
  warn
} from "../../terminal/output/index.ts"
import { Ask } from "../../terminal/input/Ask.ts"
import { withAccess } from "../WithAccess.ts"
import type { Verification } from "@kez-chat/sdk"

export interface Input {
  readonly who: string
  readonly confirm: boolean
  readonly unconfirm: boolean
  readonly yes: boolean
  readonly offline: boolean
}

/** How long services are waited for, in milliseconds. */
const checkMillis = 15_000

const payloadOf = (event: Verification["events"][number]) => {
  const { seq, op, created_at } = event.payload
  return { seq, op: Sanitise.line(String(op)), at: Sanitise.line(String(created_at)) }
}

/** How to use the numbers. */
const advice = ({ contact }: Verification, profile: string, style: Style): ReadonlyArray<string> => {
  if (KeyChange.isOpen(contact)) return ["", ...KeyChange.choices(contact, profile, style)]
  if (contact.verified) return [style.dim("    You have confirmed that both of you see this number.")]
  if (contact.state !== "accepted") return []
  return [
    style.dim("    Both of you see the same number if nobody sits between. Compare it by"),
    style.dim("    phone or in person, then:"),
    `    ${CommandLine.line(profile, `verify ${Show.exactName(contact)} --confirm`)}`
  ]
}

const lines = (
  value: Verification,
  profile: string,
  style: Style,
  columns: number | undefined
): ReadonlyArray<string> => {
  const { contact } = value
  return [
    `${style.name(Show.name(contact))}  ${contact.verified ? style.good("verified") : style.caution("not verified")}`,
    `key  ${contact.primary}`,
    ...(contact.warning === undefined ? [] : KeyChange.headline(contact, style, columns)),
    "",
    ...KeyChange.numbers(value, style),
    ...advice(value, profile, style),
    "",
    value.events.length === 0
      ? "Sigchain  not here: the sig-server cannot be asked"
      : `Sigchain  ${value.events.length} event${value.events.length === 1 ? "" : "s"}${value.head === undefined ? "" : `, head ${value.head.seq} ${style.dim(value.head.hash.slice(0, 23))}...`}`,
    ...value.events
      .map(payloadOf)
      .map(({ seq, op, at }) => `    ${String(seq).padStart(3)}  ${op.padEnd(16)}  ${style.dim(at)}`),
    "Endpoints",
    ...value.endpoints.map((endpoint) => {
      const where =
        endpoint.protocol === "nats" ? [endpoint.url, endpoint.ws_url] : [endpoint.node_id, endpoint.relay_url]
      return `    ${endpoint.protocol}  ${style.dim(Sanitise.line(where.filter((part) => part !== undefined).join("  ")))}`
    }),
    ...(value.claims.length === 0 ? [] : ["Identities elsewhere"]),
    ...Claims.table(value.claims, style)
  ]
}

export const verify = (input: Input) =>
  withAccess(
    { command: "verify", offline: true },
    Effect.fnUntraced(function* ({ chat, paths }) {
      if (!input.offline) {
        yield* chat.refreshContact(input.who).pipe(
          Effect.catch((error) => {
            const isOutage =
              error._tag === "ServerUnreachable" || (error._tag === "Problem" && error.code === "unavailable")
            if (!isOutage) return Effect.fail(error)
            return warn(`${describe(error).message}: this is what was known before`)
          })
        )
      }
      // What cannot be checked is shown as such.
      if (!input.offline) yield* Effect.ignore(Effect.timeout(chat.checkProofs(input.who), checkMillis))
      const before = yield* chat.verification(input.who)
      const { primary } = before.pinned
      const isOpen = KeyChange.isOpen(before.contact)
      const confirms = input.confirm && !isOpen && (yield* compare(before, input.yes))
      const contact = confirms
        ? yield* chat.confirmKey(before.contact.primary, primary)
        : input.unconfirm
          ? yield* chat.unconfirmKey(before.contact.primary)
          : before.contact
      const value = { ...before, contact }
      yield* result({
        json: () => Json.verification(value),
        text: (style, columns) => lines(value, paths.name, style, columns)
      })
      if (!isOpen) return
      const what = input.confirm ? "nothing was confirmed" : "nothing is sent"
      return yield* fail("key_changed", "keyChanged", `${what} until you decide: the choices are above`)
    })
  )

/** Asks whether the number matches; without a terminal `--confirm` is the answer. Only for accepted contacts. */
const compare = Effect.fnUntraced(function* ({ contact, pinned }: Verification, isAgreed: boolean) {
  const ask = yield* Ask
  if (isAgreed || contact.state !== "accepted" || !(yield* ask.possible)) return true
  const { errStyle } = yield* Screen
  yield* ask.show(`Safety number with ${Show.name(contact)}:\n\n`)
  for (const line of KeyChange.groups(pinned.safetyNumber, errStyle)) yield* ask.show(`${line}\n`)
  const answer = yield* ask.line("\nDo they see the same number? Type yes: ")
  return answer.trim().toLowerCase() === "yes"
})
