/** Introduces one contact to another, whose inbox policy may then let them in. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { usage } from "../../Failure.ts"
import { Json, result, Sanitise, Show } from "../../terminal/output/index.ts"
import { contactOf, sentOff, withAccess } from "../WithAccess.ts"

export interface Input {
  readonly who: Option.Option<string>
  readonly to: Option.Option<string>
  readonly withdraw: boolean
}

const list = () =>
  withAccess(
    { command: "introduce", offline: true },
    Effect.fnUntraced(function* ({ chat }) {
      const open = yield* chat.introductions
      const contacts = yield* chat.contacts
      const nameOf = (primary: string) => {
        const contact = contacts.find((each) => each.primary === primary)
        return contact === undefined ? Show.shortKey(primary) : Show.name(contact)
      }
      // The handle of an introduction is only what its author says.
      const newcomerOf = (primary: string, said: string | undefined) => {
        const contact = contacts.find((each) => each.primary === primary)
        const key = Show.shortKey(primary)
        if (contact !== undefined && contact.handle !== primary) return `${Show.name(contact)} (${key})`
        return said === undefined ? key : `${key}, said to be ${Sanitise.line(said)},`
      }
      yield* result({
        json: () => ({ introductions: open.map(Json.introduction) }),
        text: (style) =>
          open.length === 0
            ? "No introductions are open."
            : open.map(({ direction, expiresAt, handle, newcomer, peer }) => {
                const name = newcomerOf(newcomer, handle)
                const words =
                  direction === "given"
                    ? `you introduced ${name} to ${nameOf(peer)}`
                    : `${nameOf(peer)} introduced ${name}`
                return `${words}  ${style.dim(`until ${Show.day(expiresAt)}`)}`
              })
      })
    })
  )

export const introduce = ({ to, who, withdraw }: Input) => {
  if (Option.isNone(who) && Option.isNone(to) && !withdraw) return list()
  return withAccess(
    { command: "introduce", offline: false },
    Effect.fnUntraced(function* ({ chat }) {
      if (Option.isNone(who) || Option.isNone(to)) {
        return yield* usage("give both: kez-chat introduce carol --to alice")
      }
      const recipient = yield* contactOf(chat, to.value)
      const message = yield* withdraw
        ? chat.withdrawIntroduction(recipient.primary, who.value)
        : chat.introduce(recipient.primary, who.value)
      yield* sentOff(chat)
      const [name, other] = [Sanitise.line(who.value), Show.name(recipient)]
      yield* result({
        json: () => ({ message: Json.message(message) }),
        text: (style) =>
          withdraw
            ? `${style.good("Taken back")}: ${name} is no longer introduced to ${other}`
            : `${style.good("Introduced")} ${name} to ${other}: for 7 days their inbox policy may let them in`
      })
    })
  )
}
