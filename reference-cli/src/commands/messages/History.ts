import type { Contact, HistoryCheck } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { settings } from "../../Flags.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import { Json, KeyChange, result, Screen, Show, warn } from "../../terminal/output/index.ts"
import { caughtUp, contactOf, sentOff, withAccess } from "../WithAccess.ts"

export interface Input {
  readonly who: string
  readonly limit: number
  readonly before: Option.Option<number>
  readonly check: boolean
  readonly markRead: boolean
  readonly offline: boolean
}

export const history = (input: Input) =>
  withAccess(
    { command: "history", offline: input.offline },
    Effect.fnUntraced(function* ({ chat, paths }) {
      if (!input.offline) yield* caughtUp(chat)
      const before = Option.getOrUndefined(input.before)
      const contact = yield* contactOf(chat, input.who)
      if (KeyChange.isOpen(contact) && contact.state !== "blocked") {
        yield* warn(KeyChange.refusal(contact, `nothing is sent to ${Show.name(contact)}`))
      }
      if (input.check) return yield* checked(contact, yield* chat.checkHistory(contact.primary))
      const messages = yield* chat.history(contact.primary, {
        limit: input.limit,
        ...(before === undefined ? {} : { before })
      })
      const older = messages.length === input.limit ? messages[0]?.order : undefined
      yield* result({
        json: () => ({
          contact: Json.contact(contact),
          messages: messages.map(Json.message),
          before: older ?? null
        }),
        text: (style, columns) => {
          if (messages.length === 0) return style.dim(`No messages with ${Show.name(contact)}.`)
          let day = ""
          return [
            ...(older === undefined
              ? []
              : [
                  style.dim(
                    `(older: ${CommandLine.line(paths.name, `history ${Show.exactName(contact)} --before ${older}`)})`
                  )
                ]),
            ...messages.flatMap((message) => {
              const mine = message.direction === "out"
              const heading = Show.day(message.arrivedAt) === day ? [] : [Show.dayLine(message.arrivedAt, style)]
              day = Show.day(message.arrivedAt)
              const author = mine ? "you" : Show.name(contact)
              const fetchShown = contact.state !== "accepted"
              return [...heading, Show.message(message, { author, mine, fetchShown, columns }, style)]
            })
          ]
        }
      })
      // A person who looks at the newest messages on a terminal has read them; a script says whether it has.
      const { outIsTerminal } = yield* Screen
      const isLook = outIsTerminal && !(yield* settings).json && before === undefined
      if ((isLook || input.markRead) && contact.state === "accepted") {
        yield* Effect.ignore(chat.markRead(contact.primary))
        if (!input.offline) yield* sentOff(chat)
      }
    })
  )

/** What cannot be told of what is missing. */
const unknowable =
  "What is missing may have failed, expired or been trimmed before this device fetched it, or been withheld: that cannot be told apart. What was sent last can be missing unnoticed."

const checked = (contact: Contact, found: HistoryCheck) =>
  result({
    json: () => ({ contact: Json.contact(contact), check: Json.historyCheck(found), note: unknowable }),
    text: (style, columns) => {
      const { gaps, linked, messages, missing } = found
      const name = Show.name(contact)
      if (missing.length === 0 && gaps.length === 0) {
        return [
          `${style.good("Nothing is missing")} among ${messages} ${messages === 1 ? "message" : "messages"} with ${name}, ${linked} of which name the one before.`,
          style.dim("What was sent last can be missing unnoticed.")
        ]
      }
      return [
        ...missing.flatMap(({ before }) => {
          const mine = before.direction === "out"
          const author = mine ? "you" : name
          return [
            style.caution(`${author} had a message before this one that was never here:`),
            Show.message(before, { author, mine, fetchShown: true, columns, maxLines: 2 }, style)
          ]
        }),
        ...gaps.map(({ device, first, last }) => {
          const count = last - first + 1
          return style.caution(
            `${count} of what ${name}'s device ${Show.shortId(device)} sent never came (${first === last ? first : `${first} to ${last}`})`
          )
        }),
        style.dim(unknowable)
      ]
    }
  })
