/** Shows messages as they arrive, first those since the last time. */
import { AccountMoved } from "@kez-chat/sdk"
import type { ConnectionState } from "@kez-chat/sdk/services"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { describe, type Failure } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { type Access, access, type Services } from "../../owner/Session.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import type { ProfilePaths } from "../../profile/Paths.ts"
import {
  InboxWarning,
  Json,
  KeyChange,
  note,
  Sanitise,
  Screen,
  Show,
  StoreWarning,
  warn
} from "../../terminal/output/index.ts"
import { Signals } from "../../Signals.ts"
import * as Meter from "../../terminal/progress/Meter.ts"
import * as Delivery from "../files/Delivery.ts"
import * as ServedLog from "../files/ServedLog.ts"
import { serveInBackground } from "../files/ServeInBackground.ts"
import { eventQueue } from "../EventQueue.ts"
import { named } from "../WithAccess.ts"
import * as Backlog from "./Backlog.ts"
import * as Cursor from "./Cursor.ts"

/** How many shown messages are remembered, so that messages of the backlog are not shown again as events. */
const remembered = 8_192

/**
 * Messages written to a pipe count as shown. The first ones are written slowly, so that a reader which stops after a
 * few lines, as `head` does, can end before more than it wants is marked as shown.
 */
const pacedMessages = 100
const paceMillis = 20

const notice = (event: Json.ShownEvent, paths: ProfilePaths): Effect.Effect<void, never, Screen> => {
  if (event._tag === "KeyChanged")
    return warn(KeyChange.refusal(event.contact, `nothing is sent to ${Show.name(event.contact)}`))
  if (event._tag === "KeyHealed")
    return note(`${Show.name(event.contact)}: ${Sanitise.line(event.detail)}; sending goes on`)
  if (event._tag === "KeyOffered")
    return warn(KeyChange.refusal(event.contact, `you keep the key of ${Show.name(event.contact)}`))
  if (event._tag === "HandedOver") {
    const { handle, movedTo = "another key" } = event.account
    return warn(Sanitise.line(describe(new AccountMoved({ handle, to: movedTo })).message))
  }
  if (event._tag === "ProofChanged") {
    const [name, subject] = [Show.name(event.contact), Sanitise.line(event.claim.subject)]
    if (event.claim.revoked) return note(`${name} has taken back ${subject}`)
    if (event.claim.state === "broken") return warn(`${name}: ${subject} is not proven: ${event.claim.sentence}`)
    return Effect.void
  }
  if (event._tag === "Held") {
    const line = CommandLine.line(paths.name, "requests --held")
    return note((style) => style.dim(`a stranger is held back: ${line}`))
  }
  if (event._tag === "Dropped" && event.code === "store_full") return warn(Sanitise.line(event.detail))
  if (event._tag === "Dropped") return warn(`skipped an unreadable entry of the inbox (${event.code})`)
  if (event._tag === "PublishingFailed") return warn(`${Delivery.unpublished}: ${Sanitise.line(event.detail)}`)
  if (event._tag === "StoreFailing") return warn(Sanitise.line(StoreWarning.sentence(event, paths)))
  if (event._tag === "StoreRecovered") return note((style) => style.dim(StoreWarning.recovered))
  return Effect.void
}

/** What a refused login may mean other than an unreachable home. */
const refused = (profile: string): ReadonlyArray<string> => [
  "The account may have been revoked or deleted at the home. To look into it:",
  `    ${CommandLine.line(profile, "doctor")}`
]

/** Prints events: as lines of JSON, or for people. */
const printer = Effect.fnUntraced(function* (paths: ProfilePaths) {
  const profile = paths.name
  const screen = yield* Screen
  const { json } = yield* settings
  const { style } = screen
  const quietly = (text: string) => Effect.provideService(note(text), Screen, screen)
  // Only complete files are reported here; `serve` shows progress.
  const served = yield* ServedLog.open(Meter.silent, quietly)
  let today = Show.day(Date.now())

  const line = (value: unknown) => screen.emit(`${Sanitise.json(value)}\n`)

  const message = ({ message: value, contact }: Backlog.Placed, columns: number | undefined) => {
    const mine = value.direction === "out"
    // The current state would soon be stale: `history` shows it.
    const { state: _state, waiting: _waiting, ...plain } = value
    const author = mine ? `you -> ${Show.name(contact)}` : Show.name(contact)
    const shown = Show.message(plain, { author, mine, fetchShown: true, columns }, style)
    const day = Show.day(value.arrivedAt)
    const heading = day === today ? "" : `${Show.dayLine(value.arrivedAt, style)}\n`
    today = day
    const fetches =
      value.file === undefined || mine || contact.state !== "accepted"
        ? ""
        : `\n       ${style.bold(CommandLine.line(profile, `fetch ${CommandLine.argument(Show.shortId(value.id))}`))}`
    const asks =
      contact.state === "requested" && !mine
        ? `\n       ${style.caution("a stranger:")} block them, or\n       ${style.bold(CommandLine.line(profile, `accept ${Show.exactName(contact)}`))}`
        : ""
    return screen.emit(`${heading}${shown}${fetches}${asks}\n`)
  }

  const filling = yield* InboxWarning.watch(profile, (sentence) =>
    Effect.provideService(warn(sentence), Screen, screen)
  )

  return {
    /** Checks the inbox once, in the background. */
    inbox: (chat: Access["chat"]) => (json ? Effect.void : Effect.ignore(Effect.flatMap(chat.inbox, filling))),
    message: (event: Json.ShownEvent & Backlog.Placed) =>
      json ? line(Json.event(event)) : Effect.flatMap(screen.columns, (columns) => message(event, columns)),
    other: (event: Json.ShownEvent) => {
      if (event._tag === "Served") return served.served(event)
      if (event._tag === "InboxFilling" && !json) return filling(event.usage)
      return json ? line(Json.event(event)) : notice(event, paths)
    },
    connection: (state: ConnectionState) => {
      if (json) return line({ event: "connection", ...Json.connection(state) })
      if (state._tag === "Online") return note((style) => style.dim("online"))
      return state._tag === "Offline"
        ? note((style) =>
            [
              style.caution(`offline: ${Sanitise.line(state.error.detail)}; trying again`),
              ...(state.error.reason === "unauthorized" ? refused(profile) : [])
            ].join("\n")
          )
        : Effect.void
    }
  }
})

/** Runs with one owner of the profile; `lost` if that owner ended. */
const runWithOwner = Effect.fnUntraced(function* (first: boolean, serve: boolean) {
  const session = yield* access({ command: "listen", answering: true, transfers: serve })
  const cursor = yield* Cursor.open(session.paths)
  const { outIsPipe } = yield* Screen
  const print = yield* printer(session.paths)
  const seen = new Set<string>()

  const show = Effect.fnUntraced(function* (event: Json.ShownEvent & Backlog.Placed) {
    const key = `${event.message.peer} ${event.message.direction} ${event.message.id}`
    if (seen.has(key)) return
    seen.add(key)
    if (seen.size > remembered) seen.delete(seen.values().next().value ?? "")
    yield* print.message(event)
    yield* cursor.advance(event.message.order)
  })

  const catchUp = Effect.gen(function* () {
    yield* named(session.chat)
    for (const [index, placed] of (yield* Backlog.after(session.chat, cursor.order)).entries()) {
      const incoming = placed.contact.state === "requested" ? "Request" : "Message"
      yield* show({ _tag: incoming, ...placed })
      if (outIsPipe && index < pacedMessages) yield* Effect.sleep(paceMillis)
    }
  })

  if (serve) yield* Effect.forkScoped(serveInBackground(session.files))
  // Subscribed before the backlog is read, so that nothing falls between the two.
  const queue = yield* eventQueue(session.chat)
  if (first) {
    const { handle } = yield* session.chat.account
    yield* note((style) => `Listening as ${style.name(Sanitise.line(handle))}. ${style.dim("Ctrl-C ends.")}`)
  }
  yield* Effect.forkScoped(print.inbox(session.chat))
  yield* catchUp
  const next = Effect.flatMap(Queue.take(queue), (item): Effect.Effect<void, Failure, Screen> => {
    switch (item._tag) {
      case "Message":
      case "Request":
        return show(item)
      case "Missed":
        return Effect.andThen(print.other(item), catchUp)
      case "Connection":
        return print.connection(item.state)
      default:
        return print.other(item)
    }
  })
  const work = Effect.forever(next).pipe(Effect.catchIf(Cause.isDone, () => Effect.succeed("lost" as const)))
  return yield* Effect.raceFirst(work, Effect.as(session.stopped, "stopped" as const))
}, Effect.scoped)

const rounds = Effect.fnUntraced(function* (serve: boolean) {
  let first = true
  // When another owner ends, this command becomes the owner and resumes at the cursor.
  while ((yield* runWithOwner(first, serve)) === "lost") first = false
})

export const listen = Effect.fn("Listen.listen")(function* (input: {
  readonly serve: boolean
}): Effect.fn.Return<void, Failure, Services | Signals> {
  const signals = yield* Signals
  yield* signals.untilSignal(rounds(input.serve))
})
