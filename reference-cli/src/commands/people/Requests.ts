/** Message requests: strangers who wrote, and those whom the inbox policy holds back. */
import type { Contact } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as CommandLine from "../../profile/CommandLine.ts"
import { Claims, Json, result, Sanitise, Show, type Style } from "../../terminal/output/index.ts"
import { caughtUp, named, withAccess } from "../WithAccess.ts"

/** How many lines of a stranger's message are shown; `history` shows all of it. */
const requestLines = 5

/** Message requests: strangers who wrote, with their latest messages. */
const shown = ({ offline }: { readonly offline: boolean }) =>
  withAccess(
    { command: "requests", offline },
    Effect.fnUntraced(function* ({ chat, paths }) {
      if (!offline) yield* caughtUp(chat)
      if (!offline) yield* named(chat)
      const all = yield* chat.contacts
      const found = all.filter(({ state }) => state === "requested")
      const offeredFor = (key: string) =>
        all.find(({ offered, state }) => state !== "requested" && offered?.primary === key)
      const asking = yield* Effect.forEach(found, (contact) =>
        Effect.map(chat.history(contact.primary, { limit: 20 }), (messages) => ({ contact, messages }))
      )
      const heldCount = (yield* chat.held).length
      yield* result({
        json: () => ({
          requests: asking.map(({ contact, messages }) => ({
            contact: Json.contact(contact),
            messages: messages.map(Json.message),
            ...Json.offeredFor(offeredFor(contact.primary))
          }))
        }),
        text: (style, columns) => [
          ...(asking.length === 0 ? ["No requests."] : []),
          ...asking.flatMap(({ contact, messages }) => [
            `${style.name(Show.name(contact))}  ${style.dim(Show.shortKey(contact.primary))}`,
            ...messages.map((message) =>
              Show.message(
                message,
                { author: Show.name(contact), mine: false, fetchShown: true, columns, maxLines: requestLines },
                style
              )
            ),
            ...(contact.admission === undefined ? [] : [`       ${style.good(Claims.admission(contact.admission))}`]),
            ...decision(contact, offeredFor(contact.primary), paths.name, style)
          ]),
          ...heldHint(heldCount, paths.name, style)
        ]
      })
    })
  )

/** The commands that answer a request. A key that is offered for a known contact is decided there. */
const decision = (
  contact: Contact,
  known: Contact | undefined,
  profile: string,
  style: Style
): ReadonlyArray<string> => {
  if (known === undefined) {
    const who = Show.exactName(contact)
    return [style.dim(`       ${CommandLine.line(profile, `accept ${who}`)}, or block ${who}`)]
  }
  return [
    style.bad(`       The home server offers this key for ${Show.name(known)}, whose key you hold is another.`),
    `       ${CommandLine.line(profile, `verify ${Show.exactName(known)}`)}`
  ]
}

const heldHint = (count: number, profile: string, style: Style): ReadonlyArray<string> => {
  if (count === 0) return []
  const line = CommandLine.line(profile, "requests --held")
  return [style.dim(`${count === 1 ? "1 stranger is" : `${count} strangers are`} held back: ${line}`)]
}

/** Strangers whose mail is held back, with the reason; nothing of what they wrote is shown. */
const held = ({ offline }: { readonly offline: boolean }) =>
  withAccess(
    { command: "requests", offline },
    Effect.fnUntraced(function* ({ chat, paths }) {
      if (!offline) yield* caughtUp(chat)
      const found = yield* chat.held
      yield* result({
        json: () => ({ held: found.map(Json.heldRequest) }),
        text: (style) =>
          found.length === 0
            ? "Nobody is held back."
            : found.flatMap((request) => {
                const name = Sanitise.line(request.handle)
                const count = `${request.messages} message${request.messages === 1 ? "" : "s"}`
                const dropped = request.dropped === 0 ? "" : `, ${request.dropped} more dropped`
                return [
                  `${style.name(request.handle === request.primary ? Show.shortKey(request.primary) : name)}  ${style.dim(`${count}${dropped}, last ${Show.day(request.lastAt)}`)}`,
                  `    ${style.caution(Sanitise.line(request.sentence))}`,
                  ...Claims.table(request.claims, style),
                  style.dim(`    ${CommandLine.line(paths.name, `accept ${name}`)}, or remove ${name}`)
                ]
              })
      })
    })
  )

export const requests = (input: { readonly held: boolean; readonly offline: boolean }) =>
  input.held ? held(input) : shown(input)
