/** Who one knows, and who may write. */
import type { Contact, KezChat } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import { ExitCode } from "../ExitCode.ts"
import { fail, type Failure } from "../Failure.ts"
import type { Services } from "../owner/Session.ts"
import * as CommandLine from "../profile/CommandLine.ts"
import * as Shapes from "../Shapes.ts"
import * as Columns from "../terminal/Columns.ts"
import { result, type Screen } from "../terminal/Screen.ts"
import * as Show from "../terminal/Show.ts"
import type { Style } from "../terminal/Style.ts"
import { caughtUp, contactOf, named, sentOff, withAccess } from "./withAccess.ts"

type Chat = KezChat["Service"]

const reportContact = (contact: Contact, sentence: (style: Style, name: string) => string | ReadonlyArray<string>) =>
  result({
    json: () => ({ contact: Shapes.contact(contact) }),
    text: (style) => sentence(style, style.name(Show.name(contact)))
  })

export const add = ({ who }: { readonly who: string }): Effect.Effect<void, Failure, Services> =>
  withAccess({ command: "add", offline: true }, ({ chat, place }) =>
    Effect.gen(function* () {
      const contact = yield* chat.addContact(who)
      yield* reportContact(contact, (style, name) => [
        `${style.good("Added")} ${name}  ${style.dim(Show.shortKey(contact.primary))}`,
        ...(contact.verified
          ? []
          : [
              style.dim("The server says this key is theirs. Compare it:"),
              `    ${CommandLine.line(place.name, `verify ${Show.exactName(contact)}`)}`
            ])
      ])
    })
  )

export const contacts = ({ offline }: { readonly offline: boolean }): Effect.Effect<void, Failure, Services> =>
  withAccess({ command: "contacts", offline }, ({ chat, place }) =>
    Effect.gen(function* () {
      if (!offline) {
        yield* caughtUp(chat)
        yield* named(chat)
      }
      const found = yield* chat.contacts
      const width = Math.max(0, ...found.map((contact) => Columns.width(Show.name(contact))))
      yield* result({
        json: () => ({ contacts: found.map(Shapes.contact) }),
        text: (style) =>
          found.length === 0
            ? `No contacts yet: ${style.bold(CommandLine.line(place.name, "add NAME"))}`
            : found.map((contact) => Show.contact(contact, width, style))
      })
    })
  )

/** Lines of a stranger's message that are shown: `history` shows all of it. */
const requestLines = 5

/** Message requests: strangers who wrote, with the last thing they said. */
export const requests = ({ offline }: { readonly offline: boolean }): Effect.Effect<void, Failure, Services> =>
  withAccess({ command: "requests", offline }, ({ chat, place }) =>
    Effect.gen(function* () {
      if (!offline) yield* caughtUp(chat)
      if (!offline) yield* named(chat)
      const found = (yield* chat.contacts).filter(({ state }) => state === "requested")
      const asking = yield* Effect.forEach(found, (contact) =>
        Effect.map(chat.history(contact.primary, { limit: 20 }), (messages) => ({ contact, messages }))
      )
      yield* result({
        json: () => ({
          requests: asking.map(({ contact, messages }) => ({
            contact: Shapes.contact(contact),
            messages: messages.map(Shapes.message)
          }))
        }),
        text: (style, columns) =>
          asking.length === 0
            ? "No requests."
            : asking.flatMap(({ contact, messages }) => [
                `${style.name(Show.name(contact))}  ${style.dim(Show.shortKey(contact.primary))}`,
                ...messages.map((message) =>
                  Show.message(
                    message,
                    { author: Show.name(contact), mine: false, fetchShown: true, columns, maxLines: requestLines },
                    style
                  )
                ),
                style.dim(`       ${CommandLine.line(place.name, `accept ${Show.exactName(contact)}`)}, or block`)
              ])
      })
    })
  )

const decide = (
  options: { readonly command: string; readonly offline: boolean },
  act: (chat: Chat) => Effect.Effect<Contact, Failure, Screen>,
  sentence: (style: Style, name: string) => string
): Effect.Effect<void, Failure, Services> =>
  withAccess(options, ({ chat }) => Effect.flatMap(act(chat), (contact) => reportContact(contact, sentence)))

export const accept = (input: {
  readonly who: string
  readonly newKey: boolean
}): Effect.Effect<void, Failure, Services> =>
  decide(
    { command: "accept", offline: false },
    (chat) =>
      Effect.gen(function* () {
        yield* caughtUp(chat)
        const contact = yield* contactOf(chat, input.who)
        if (contact.state !== "changed") {
          const accepted = yield* chat.accept(contact.primary)
          yield* sentOff(chat)
          return accepted
        }
        if (input.newKey) return yield* chat.acceptKey(contact.primary)
        return yield* fail(
          "key_changed",
          ExitCode.refused,
          `${contact.handle} has another key than before (${contact.warning ?? "it changed"}): compare the safety number again, then accept it with --new-key`
        )
      }),
    (style, name) => `${style.good("Accepted")} ${name}`
  )

export const block = ({ who }: { readonly who: string }): Effect.Effect<void, Failure, Services> =>
  decide(
    { command: "block", offline: false },
    // The home keeps nothing of theirs either, once it is told; out of reach, it is told later.
    (chat) => Effect.tap(chat.block(who), () => sentOff(chat)),
    (_, name) => `Blocked ${name}: nothing of theirs is shown`
  )

export const unblock = ({ who }: { readonly who: string }): Effect.Effect<void, Failure, Services> =>
  decide(
    { command: "unblock", offline: false },
    (chat) => Effect.tap(chat.unblock(who), () => sentOff(chat)),
    (_, name) => `Unblocked ${name}`
  )

export const remove = (input: {
  readonly who: string
  readonly withMessages: boolean
}): Effect.Effect<void, Failure, Services> =>
  withAccess({ command: "remove", offline: true }, ({ chat }) =>
    Effect.gen(function* () {
      const contact = yield* chat.contact(input.who)
      yield* chat.removeContact(contact.primary, input.withMessages)
      yield* result({
        json: () => ({ removed: Shapes.contact(contact), with_messages: input.withMessages }),
        text: () => `Removed ${Show.name(contact)}${input.withMessages ? " and all messages" : "; the messages stay"}`
      })
    })
  )

export interface SettingsInput {
  readonly readReceipts: "on" | "off" | undefined
  readonly inbox: "everyone" | "contacts" | undefined
  readonly autoTrim: "on" | "off" | undefined
}

export const settings = ({ autoTrim, inbox, readReceipts }: SettingsInput): Effect.Effect<void, Failure, Services> =>
  withAccess({ command: "settings", offline: true }, ({ chat }) =>
    Effect.gen(function* () {
      const change = {
        ...(readReceipts === undefined ? {} : { readReceipts: readReceipts === "on" }),
        ...(inbox === undefined ? {} : { inbox }),
        ...(autoTrim === undefined ? {} : { autoTrim: autoTrim === "on" })
      }
      const now = yield* Object.keys(change).length === 0 ? chat.settings : chat.updateSettings(change)
      yield* result({
        json: () => Shapes.settings(now),
        text: () => [
          `read receipts  ${now.readReceipts ? "on: others see when you have read" : "off"}`,
          `inbox          ${now.inbox === "everyone" ? "everyone: strangers arrive as requests" : "contacts: strangers are dropped unseen"}`,
          `auto-trim      ${now.autoTrim ? "on: the home removes mail once all your devices have it; that does not come back with the words" : "off"}`
        ]
      })
    })
  )
