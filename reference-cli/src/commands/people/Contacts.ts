/** Contacts: adding, listing, accepting, blocking, removing. */
import type { Contact, KezChat } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import { Bytes, Limits, PrimaryKey } from "@kez-chat/sdk/protocol"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { fail, type Failure } from "../../Failure.ts"
import type { Services } from "../../owner/Session.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import {
  Columns,
  Json,
  KeyChange,
  result,
  Sanitise,
  type Screen,
  Show,
  type Style
} from "../../terminal/output/index.ts"
import { caughtUp, contactOf, named, sentOff, withAccess } from "../WithAccess.ts"

const reportContact = (contact: Contact, sentence: (style: Style, name: string) => string | ReadonlyArray<string>) =>
  result({
    json: () => ({ contact: Json.contact(contact) }),
    text: (style) => sentence(style, style.name(Show.name(contact)))
  })

export const add = ({ who }: { readonly who: string }) =>
  withAccess(
    { command: "add", offline: true },
    Effect.fnUntraced(function* ({ chat, paths }) {
      const contact = yield* chat.addContact(who)
      if (KeyChange.isOpen(contact)) return yield* stopped(contact, "not added as asked", paths.name)
      yield* reportContact(contact, (style, name) => [
        `${style.good("Added")} ${name}  ${style.dim(Show.shortKey(contact.primary))}`,
        ...(contact.verified
          ? []
          : [
              style.dim(`${contact.home ?? "The server"} says this key is theirs. Compare it:`),
              `    ${CommandLine.line(paths.name, `verify ${Show.exactName(contact)}`)}`
            ]),
        ...(contact.home === undefined
          ? []
          : [style.dim("People of other homes can be verified, but not written to yet.")])
      ])
    })
  )

export const contacts = ({ offline }: { readonly offline: boolean }) =>
  withAccess(
    { command: "contacts", offline },
    Effect.fnUntraced(function* ({ chat, paths }) {
      if (!offline) {
        yield* caughtUp(chat)
        yield* named(chat)
      }
      const found = yield* chat.contacts
      const width = Math.max(0, ...found.map((contact) => Columns.width(Show.name(contact))))
      yield* result({
        json: () => ({ contacts: found.map(Json.contact) }),
        text: (style) =>
          found.length === 0
            ? `No contacts yet: ${style.bold(CommandLine.line(paths.name, "add NAME"))}`
            : found.flatMap((contact) => [Show.contact(contact, width, style), ...hint(contact, paths.name, style)])
      })
    })
  )

/** The command that shows a change, under a line of the list. */
const hint = (contact: Contact, profile: string, style: Style): ReadonlyArray<string> => {
  if (contact.warning === undefined || contact.state === "blocked") return []
  const line = CommandLine.line(profile, `verify ${Show.exactName(contact)}`)
  return [
    `    ${KeyChange.isOpen(contact) ? style.bad("nothing is sent; look at it:") : style.dim("look at it:")} ${line}`
  ]
}

/** Shows why sending to a contact stopped, and ends the command with that exit code. */
const stopped = Effect.fnUntraced(function* (contact: Contact, what: string, profile: string) {
  yield* result({
    json: () => ({ contact: Json.contact(contact) }),
    text: (style, columns) => [
      style.name(Show.name(contact)),
      ...KeyChange.headline(contact, style, columns),
      "Both safety numbers, and what you can do:",
      `    ${CommandLine.line(profile, `verify ${Show.exactName(contact)}`)}`
    ]
  })
  return yield* fail("key_changed", "keyChanged", KeyChange.refusal(contact, what))
})

const decide = (
  options: { readonly command: string; readonly offline: boolean },
  act: (chat: KezChat["Service"]) => Effect.Effect<Contact, Failure, Screen>,
  sentence: (style: Style, name: string) => string
) => withAccess(options, ({ chat }) => Effect.flatMap(act(chat), (contact) => reportContact(contact, sentence)))

/** A key as `verify` prints it, or its digits alone. */
const keyOf = (text: string): string => (Bytes.isHex(text, Limits.keyBytes) ? PrimaryKey.ofHex(text) : text)

export const accept = (input: {
  readonly who: string
  /** The offered key, in full. */
  readonly newKey: Option.Option<string>
}) =>
  withAccess(
    { command: "accept", offline: false },
    Effect.fnUntraced(function* ({ chat, paths }) {
      yield* caughtUp(chat)
      // Who is held back is no contact yet.
      const before = yield* contactOf(chat, input.who).pipe(
        Effect.catchTag("ContactUnknown", () => chat.accept(input.who))
      )
      const newKey = Option.getOrUndefined(input.newKey)
      const isRequest = before.state !== "changed" && newKey === undefined
      if (!isRequest && newKey === undefined) return yield* stopped(before, "no key was accepted", paths.name)
      const contact = yield* newKey === undefined
        ? chat.accept(before.primary)
        : chat.acceptKey(before.primary, keyOf(newKey))
      if (KeyChange.isOpen(contact)) return yield* stopped(contact, "accepted, and stopped", paths.name)
      if (isRequest) yield* sentOff(chat)
      yield* reportContact(contact, (style, name) =>
        newKey === undefined
          ? `${style.good("Accepted")} ${name}`
          : [
              `${style.good("Accepted")} the new key of ${name}  ${style.dim(Show.shortKey(contact.primary))}`,
              style.dim("If you compared its safety number:"),
              `    ${CommandLine.line(paths.name, `verify ${Show.exactName(contact)} --confirm`)}`
            ]
      )
    })
  )

export const keep = ({ who }: { readonly who: string }) =>
  withAccess(
    { command: "keep", offline: false },
    Effect.fnUntraced(function* ({ chat }) {
      const contact = yield* Effect.flatMap(contactOf(chat, who), ({ primary }) => chat.keepKey(primary))
      yield* sentOff(chat)
      yield* reportContact(contact, (style, name) =>
        contact.kept === true
          ? `${style.good("Kept")} the key of ${name}  ${style.dim(Show.shortKey(contact.primary))}: messages go to it and to no other`
          : `There is nothing to decide about ${name}: their key is the one it was`
      )
    })
  )

export const block = ({ who }: { readonly who: string }): Effect.Effect<void, Failure, Services> =>
  decide(
    { command: "block", offline: false },
    // The block also goes to the home server; if that cannot be reached, a later command sends it.
    (chat) => Effect.tap(chat.block(who), () => sentOff(chat)),
    (_, name) => `Blocked ${name}: nothing from them is shown`
  )

export const unblock = ({ who }: { readonly who: string }): Effect.Effect<void, Failure, Services> =>
  decide(
    { command: "unblock", offline: false },
    (chat) => Effect.tap(chat.unblock(who), () => sentOff(chat)),
    (_, name) => `Unblocked ${name}`
  )

export const remove = (input: { readonly who: string; readonly withMessages: boolean }) =>
  withAccess(
    { command: "remove", offline: true },
    Effect.fnUntraced(function* ({ chat }) {
      const known = yield* Effect.result(chat.contact(input.who))
      if (Result.isFailure(known)) return yield* dropHeld(chat, input.who, known.failure)
      const contact = known.success
      yield* chat.removeContact(contact.primary, input.withMessages)
      yield* result({
        json: () => ({ removed: Json.contact(contact), with_messages: input.withMessages }),
        text: () => `Removed ${Show.name(contact)}${input.withMessages ? " and all messages" : "; the messages stay"}`
      })
    })
  )

/** Drops what a stranger wrote who is held back. */
const dropHeld = Effect.fnUntraced(function* (chat: KezChat["Service"], who: string, otherwise: Failure) {
  const name = who.trim().replace(/^@/, "")
  const found = (yield* chat.held).find(({ handle, primary }) => [handle, handle.split("@")[0], primary].includes(name))
  if (found === undefined) return yield* otherwise
  yield* chat.removeContact(found.primary, true)
  yield* result({
    json: () => ({ removed_held: Json.heldRequest(found) }),
    text: () => `Dropped what ${Sanitise.line(found.handle)} wrote`
  })
})
