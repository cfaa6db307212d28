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
