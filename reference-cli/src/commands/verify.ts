import * as Effect from "effect/Effect"
import { describe, type Failure } from "../Failure.ts"
import type { Services } from "../owner/Session.ts"
import * as CommandLine from "../profile/CommandLine.ts"
import * as Shapes from "../Shapes.ts"
import { Ask } from "../terminal/Ask.ts"
import * as Sanitise from "../terminal/Sanitise.ts"
import { result, warn } from "../terminal/Screen.ts"
import * as Show from "../terminal/Show.ts"
import type { Style } from "../terminal/Style.ts"
import { withAccess } from "./withAccess.ts"
import type { Verification } from "@kez-chat/sdk"

export interface Input {
  readonly who: string
  readonly confirm: boolean
  readonly unconfirm: boolean
  readonly yes: boolean
  readonly offline: boolean
}

/** Twelve groups in three lines of four, as people read them to each other. */
const groups = (safetyNumber: string): ReadonlyArray<string> => {
  const all = safetyNumber.trim().split(/\s+/)
  return [0, 4, 8].map((from) => all.slice(from, from + 4).join("  "))
}

const payloadOf = (event: Verification["events"][number]) => {
  const { seq, op, created_at } = event.payload
  return { seq, op: Sanitise.line(String(op)), at: Sanitise.line(String(created_at)) }
}

const lines = (value: Verification, profile: string, style: Style): ReadonlyArray<string> => {
  const { contact } = value
  return [
    `${style.name(Show.name(contact))}  ${contact.verified ? style.good("verified") : style.caution("not verified")}`,
    `key  ${contact.primary}`,
    ...(contact.warning === undefined ? [] : [style.bad(Sanitise.line(contact.warning))]),
    "",
    "Safety number",
    ...groups(value.safetyNumber).map((line) => `    ${style.bold(line)}`),
    ...(contact.verified
      ? [style.dim("    You have confirmed that both of you see this number.")]
      : [
          style.dim("    Both of you see the same number if nobody sits between. Compare it by"),
          style.dim("    phone or in person, then:"),
          `    ${CommandLine.line(profile, `verify ${Show.exactName(contact)} --confirm`)}`
        ]),
    "",
    `Sigchain  ${value.events.length} event${value.events.length === 1 ? "" : "s"}${value.head === undefined ? "" : `, head ${value.head.seq} ${style.dim(value.head.hash.slice(0, 23))}...`}`,
    ...value.events
      .map(payloadOf)
      .map(({ seq, op, at }) => `    ${String(seq).padStart(3)}  ${op.padEnd(16)}  ${style.dim(at)}`),
    "Endpoints",
    ...value.endpoints.map((endpoint) => {
      const where =
        endpoint.protocol === "nats" ? [endpoint.url, endpoint.ws_url] : [endpoint.node_id, endpoint.relay_url]
      return `    ${endpoint.protocol}  ${style.dim(Sanitise.line(where.filter((part) => part !== undefined).join("  ")))}`
    }),
    ...(value.claims.length === 0 ? [] : ["Claims"]),
    ...value.claims.map(
      ({ subject, revoked }) => `    ${Sanitise.line(subject)}${revoked ? style.bad("  revoked") : ""}`
    )
  ]
}

export const verify = (input: Input): Effect.Effect<void, Failure, Services> =>
  withAccess({ command: "verify", offline: true }, ({ chat, place }) =>
    Effect.gen(function* () {
      if (!input.offline) {
        yield* chat.refreshContact(input.who).pipe(
          Effect.catch((error) => {
            if (error._tag !== "ServerUnreachable") return Effect.fail(error)
            return warn(`${describe(error).message}: this is what was known before`)
          })
        )
      }
      const before = yield* chat.verification(input.who)
      const agreed = input.confirm && !input.yes ? yield* compare(before) : input.confirm
      const contact = agreed
        ? yield* chat.setVerified(input.who, true)
        : input.unconfirm
          ? yield* chat.setVerified(input.who, false)
          : before.contact
      const value = { ...before, contact }
      yield* result({ json: () => Shapes.verification(value), text: (style) => lines(value, place.name, style) })
    })
  )

/** Shows the number to the person who is to compare it; without a terminal `--confirm` is their word. */
const compare = (value: Verification): Effect.Effect<boolean, Failure, Ask> =>
  Effect.gen(function* () {
    const ask = yield* Ask
    if (!(yield* ask.possible)) return true
    yield* ask.show(`Safety number with ${Show.name(value.contact)}:\n\n`)
    for (const line of groups(value.safetyNumber)) yield* ask.show(`    ${line}\n`)
    const answer = yield* ask.line("\nDo they see the same number? Type yes: ")
    return answer.trim().toLowerCase() === "yes"
  })
