/** A conversation in one terminal: messages above, the line to type in below. */
import type { Contact, Event, InboxUsage, KezChat, Message } from "@kez-chat/sdk"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { describe, type Failure, usage } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { access, type Services } from "../../owner/Session.ts"
import { Signals } from "../../Signals.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import type { ProfilePaths } from "../../profile/Paths.ts"
import {
  Columns,
  InboxWarning,
  KeyChange,
  Sanitise,
  Screen,
  Show,
  StoreWarning,
  type Style
} from "../../terminal/output/index.ts"
import * as ChatView from "../../terminal/input/ChatView.ts"
import { eventQueue } from "../EventQueue.ts"

/** Messages shown at the beginning. */
const shownAtFirst = 20

interface Room {
  readonly chat: KezChat["Service"]
  /** The current contact: the user may accept another key for it meanwhile. */
  contact: Contact
  readonly paths: ProfilePaths
  readonly line: ChatView.ChatView
  readonly style: Style
  readonly shown: Set<string>
  /** The newest sent message. Its state is shown before the typed line. */
  mine: Message | undefined
  offline: boolean
  /** Warns when the inbox at the home is almost full. */
  readonly filling: (usage: InboxUsage) => Effect.Effect<void>
}

const keyOf = ({ direction, id }: Message): string => `${direction} ${id}`

const draw = (room: Room, message: Message): void => {
  if (room.shown.has(keyOf(message))) return
  room.shown.add(keyOf(message))
  const mine = message.direction === "out"
  if (mine) room.mine = message
  // The state of the newest sent message is shown at the prompt; beside the message it would soon be stale.
  const { state: _state, waiting: _waiting, ...plain } = message
  const author = mine ? "you" : Show.name(room.contact)
  room.line.print((columns) => Show.message(plain, { author, mine, columns }, room.style))
}

/** A notice between the messages. */
const say = (room: Pick<Room, "line">, paint: (text: string) => string, text: string): void =>
  room.line.print((columns) =>
    (columns === undefined ? [Sanitise.line(text)] : Columns.wrap(Sanitise.line(text), columns - 1, columns - 1))
      .map(paint)
      .join("\n")
  )

const prompt = (room: Room): void => {
  const parts = [
    ...(room.offline ? [room.style.caution("offline")] : []),
    ...(room.mine?.state === undefined ? [] : [room.style.dim(room.mine.state)])
  ]
  room.line.prompt(`${parts.length === 0 ? "" : `${parts.join(" ")} `}> `)
}

const onEvent = Effect.fnUntraced(function* (room: Room, event: Event) {
  if ((event._tag === "Message" || event._tag === "Request") && event.message.peer === room.contact.primary) {
    draw(room, event.message)
    prompt(room)
    if (event.message.direction === "in") yield* Effect.ignore(room.chat.markRead(room.contact.primary))
  } else if (event._tag === "State" && event.message.peer === room.contact.primary) {
    if (event.message.id === room.mine?.id) room.mine = event.message
    if (event.message.state === "failed") say(room, room.style.bad, `not sent: ${event.message.failure ?? "refused"}`)
    if (event.message.waiting !== undefined)
      say(room, room.style.caution, `kept here: ${Show.waiting(event.message.waiting)}`)
    prompt(room)
  } else if (event._tag === "InboxFilling") {
    yield* room.filling(event.usage)
  } else if (event._tag === "StoreFailing") {
    say(room, room.style.caution, StoreWarning.sentence(event, room.paths))
  } else if (event._tag === "StoreRecovered") {
    say(room, room.style.dim, StoreWarning.recovered)
  } else if (event._tag === "Contact" && event.contact.primary === room.contact.primary) {
    const decided = KeyChange.isOpen(room.contact) && event.contact.kept === true
    room.contact = event.contact
    if (decided) say(room, room.style.good, `you keep the key of ${Show.name(room.contact)}; sending goes on`)
  } else if (event._tag === "ContactRemoved" && event.contact.primary === room.contact.primary) {
    yield* removed(room, event.contact)
  } else if (event._tag === "KeyChanged" || event._tag === "KeyOffered") {
    if (event.contact.primary === room.contact.primary) keyChanged(room, event.contact)
  } else if (event._tag === "KeyHealed" && event.contact.primary === room.contact.primary) {
    say(room, room.style.good, `${event.detail}; sending goes on`)
  } else if (event._tag === "Missed") {
    yield* recent(room)
  }
})

/** If the user accepted the offered key instead, the conversation continues with that key. */
const removed = Effect.fnUntraced(function* (room: Room, { offered }: Contact) {
  const name = Show.name(room.contact)
  const next = offered === undefined ? Option.none() : yield* Effect.option(room.chat.contact(offered.primary))
  if (Option.isNone(next)) return say(room, room.style.caution, `${name} is no longer among your contacts`)
  room.contact = next.value
  say(room, room.style.caution, `you accepted the new key of ${name}: what you write now goes to it`)
})

/** Why sending stopped, or would have. */
const keyChanged = (room: Room, contact: Contact): void => {
  const look = `    ${CommandLine.line(room.paths.name, `verify ${Show.exactName(contact)}`)}`
  room.line.print((columns) => [...KeyChange.headline(contact, room.style, columns), look].join("\n"))
}

const recent = Effect.fnUntraced(function* (room: Room) {
  const messages = yield* room.chat.history(room.contact.primary, { limit: shownAtFirst })
  for (const message of messages) draw(room, message)
  prompt(room)
})

const onTyped = (room: Room, text: string): Effect.Effect<"quit" | undefined> => {
  const said = text.trimEnd()
  if (said === "") return Effect.succeed(undefined)
  if (said === "/quit" || said === "/q") return Effect.succeed("quit")
  if (said.startsWith("/") && !said.startsWith("//")) {
    say(room, room.style.dim, "/quit leaves. A message that begins with / is written with two.")
    return Effect.succeed(undefined)
  }
  return room.chat.send(room.contact.primary, said.replace(/^\/\//, "/")).pipe(
    Effect.match({
      onSuccess: (message) => {
        draw(room, message)
        prompt(room)
        return undefined
      },
      onFailure: (error) => {
        const { message } = describe(error)
        // Its message begins with the same words.
        say(room, room.style.bad, error._tag === "SendBlocked" ? message : `not sent: ${message}`)
        room.line.putBack(text)
        return undefined
      }
    })
  )
}

/** Runs with one owner of the profile; `lost` if that owner ended. */
const runWithOwner = Effect.fnUntraced(function* (
  who: string,
  opened: Effect.Effect<ChatView.ChatView>,
  shown: Set<string>
) {
  const { chat, paths, stopped } = yield* access({ command: "chat", answering: true })
  const { style } = yield* Screen
  const contact = yield* chat.contact(who)
  const line = yield* opened
  const filling = yield* InboxWarning.watch(paths.name, (sentence) =>
    Effect.sync(() => say({ line }, style.caution, sentence))
  )
  yield* Effect.forkScoped(Effect.ignore(Effect.flatMap(chat.inbox, filling)))
  const room: Room = {
    chat,
    contact,
    paths,
    line,
    style,
    shown,
    mine: undefined,
    offline: false,
    filling
  }
  const items = yield* eventQueue(chat)
  yield* recent(room)
  if (contact.warning !== undefined) keyChanged(room, contact)
  yield* Effect.ignore(chat.markRead(contact.primary))
  // The typed lines outlive this owner: they are taken one by one, never drained.
  const typing = Effect.forever(
    Effect.flatMap(Queue.take(line.lines), (text) =>
      Effect.flatMap(onTyped(room, text), (end) => (end === "quit" ? Effect.fail("quit" as const) : Effect.void))
    )
  ).pipe(Effect.catch(() => Effect.succeed("quit" as const)))
  const watching = Effect.forever(
    Effect.flatMap(Queue.take(items), (item): Effect.Effect<void, Failure> => {
      if (item._tag !== "Connection") return onEvent(room, item)
      return Effect.sync(() => {
        room.offline = item.state._tag === "Offline"
        prompt(room)
      })
    })
  ).pipe(Effect.catchIf(Cause.isDone, () => Effect.succeed("lost" as const)))
  return yield* Effect.raceAllFirst([typing, watching, Effect.as(stopped, "quit" as const)])
}, Effect.scoped)

export const chat = Effect.fn("Chat.chat")(function* ({
  who
}: {
  readonly who: string
}): Effect.fn.Return<void, Failure, Services | Signals> {
  const { json } = yield* settings
  if (json || !process.stdin.isTTY || !process.stdout.isTTY) {
    return yield* usage("`chat` is for a person at a terminal: scripts use `listen --json` and `send`")
  }
  const signals = yield* Signals
  const { style, canRedraw } = yield* Screen
  const shown = new Set<string>()
  yield* signals.untilSignal(
    Effect.gen(function* () {
      const whole = yield* Scope.Scope
      let line: ChatView.ChatView | undefined
      // Opened after the account, so that a passphrase is asked for on a clean terminal.
      const opened = Effect.suspend(() =>
        line === undefined ? Scope.provide(ChatView.open("> ", canRedraw), whole) : Effect.succeed(line)
      ).pipe(
        Effect.tap((made) =>
          Effect.sync(() => {
            if (line === undefined) made.print(() => style.dim("/quit leaves, and so does Ctrl-C."))
            line = made
          })
        )
      )
      while ((yield* runWithOwner(who, opened, shown)) === "lost");
    }).pipe(Effect.scoped)
  )
})
