import { AccountMoved, type Contact, type Event, type KezChat, type KezChatError, type Message } from "@kez-chat/sdk"
import { Blank } from "@kez-chat/sdk/protocol"
import type { BrokerUnavailable } from "@kez-chat/sdk/services"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { fail, type Failure, usage } from "../../Failure.ts"
import type { Services } from "../../owner/Session.ts"
import { Json, KeyChange, note, result, Sanitise, Show } from "../../terminal/output/index.ts"
import { withAccess } from "../WithAccess.ts"
import { reasonOf } from "../../SystemError.ts"

export interface Input {
  readonly who: string
  readonly text: ReadonlyArray<string>
  readonly wait: boolean
  /** How long to wait until the home server has stored it. */
  readonly timeout: Duration.Duration
}

/** Longest text read from standard input, in bytes; the protocol's smaller limit is reported by the client. */
const maxInput = 1_048_576

const readInput: Effect.Effect<string, Failure, Services> = Effect.gen(function* () {
  if (process.stdin.isTTY) yield* note("Type the message; Ctrl-D on a line of its own ends it.")
  const bytes = yield* Effect.tryPromise({
    try: async () => {
      const parts: Array<Buffer> = []
      let length = 0
      for await (const part of process.stdin as AsyncIterable<Buffer>) {
        parts.push(part)
        length += part.length
        if (length > maxInput) break
      }
      return Buffer.concat(parts)
    },
    catch: (error) => fail("input", "failed", `standard input cannot be read: ${reasonOf(error)}`)
  })
  if (bytes.length > maxInput)
    return yield* usage("the text on standard input is larger than 1 MiB, and a message holds 40 KB: send it as a file")
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "")
  } catch {
    return yield* usage("standard input is not UTF-8 text")
  }
})

const textOf = Effect.fnUntraced(function* (words: ReadonlyArray<string>) {
  const text = words.length === 0 || (words.length === 1 && words[0] === "-") ? yield* readInput : words.join(" ")
  return Blank.isBlank(text) ? yield* usage("there is no text to send") : text
})

const isFinal = (message: Message): boolean => message.state !== "queued"

/** The current state of the message, read from the store. */
const reread = (chat: KezChat["Service"], message: Message): Effect.Effect<Message, KezChatError> =>
  Effect.map(
    chat.history(message.peer, { limit: 50, before: message.order + 1 }),
    (page) => page.find(({ id, direction }) => id === message.id && direction === "out") ?? message
  )

const unwatched = { final: undefined, offline: undefined, moved: undefined, changed: undefined }

/** Sends and waits until the message leaves the queue. `final` is undefined if it did not; the others say why. */
const sendAndWait = Effect.fnUntraced(function* (chat: KezChat["Service"], input: Input, text: string) {
  let offline: BrokerUnavailable | undefined
  const watchConnection = Stream.runForEach(chat.connection, (state) =>
    Effect.sync(() => {
      if (state._tag === "Offline") offline = state.error
      if (state._tag === "Online") offline = undefined
    })
  )
  yield* Effect.forkScoped(watchConnection, { startImmediately: true })
  // Subscribed before sending, because the broker may be faster than this process.
  const settled = new Map<string, Message>()
  let changed: Contact | undefined
  let moved: AccountMoved | undefined
  const watch = (event: Event) =>
    Effect.sync(() => {
      if (event._tag === "KeyChanged") changed = event.contact
      if (event._tag === "HandedOver") {
        const { handle, movedTo = "another key" } = event.account
        moved = new AccountMoved({ handle, to: movedTo })
      }
      if (event._tag === "State" && isFinal(event.message)) settled.set(event.message.id, event.message)
    })
  yield* Effect.forkScoped(Stream.runForEach(chat.events, watch), { startImmediately: true })
  const sent = yield* chat.send(input.who, text)
  const ended = Effect.gen(function* () {
    for (let round = 1; ; round++) {
      const seen = settled.get(sent.id)
      if (seen !== undefined) return seen
      // The store is authoritative, in case an event was missed.
      const now = round % 50 === 0 ? yield* reread(chat, sent) : sent
      if (isFinal(now)) return now
      if (offline?.reason === "unknown_name" || moved !== undefined || changed?.primary === sent.peer) return undefined
      yield* Effect.sleep(20)
    }
  })
  const final = isFinal(sent) ? sent : Option.getOrUndefined(yield* Effect.timeoutOption(ended, input.timeout))
  return { sent, final, offline, moved, changed: changed?.primary === sent.peer ? changed : undefined }
})

const whyQueued = ({ waiting }: Message, offline: BrokerUnavailable | undefined, { timeout }: Input): string => {
  if (waiting !== undefined) return `the home server does not take the message yet: ${Show.waiting(waiting)}`
  if (offline?.reason === "unknown_name") return `the home server cannot be reached (${Sanitise.line(offline.detail)})`
  const why = offline === undefined ? "" : ` (${Sanitise.line(offline.detail)})`
  return `the home server has not taken the message within ${Duration.format(timeout)}${why}`
}

export const send = Effect.fn("Send.send")(function* (input: Input) {
  // Read first, so that the profile is not held while the message is typed.
  const text = yield* textOf(input.text)
  yield* withAccess(
    { command: "send", offline: false },
    Effect.fnUntraced(function* ({ chat }) {
      const { sent, final, offline, moved, changed } = input.wait
        ? yield* sendAndWait(chat, input, text)
        : { ...unwatched, sent: yield* chat.send(input.who, text) }
      // The reason for waiting is in the store.
      const message = final ?? (input.wait ? yield* reread(chat, sent) : sent)
      if (message.state === "failed") {
        return yield* fail("send_failed", "refused", `not sent to ${input.who}: ${message.failure ?? "it was refused"}`)
      }
      yield* result({
        json: () => ({ message: Json.message(message) }),
        text: (style) => {
          const name = Sanitise.line(input.who)
          if (message.state === "queued") return `${style.caution("Queued")} for ${name}`
          return message.state === "stored"
            ? `${style.good("Stored")} for ${name}`
            : `${style.good("Delivered")} to ${name}`
        }
      })
      if (moved !== undefined && message.state === "queued") return yield* moved
      if (changed !== undefined && message.state === "queued") {
        return yield* fail("queued", "keyChanged", KeyChange.refusal(changed, "kept here until you decide"))
      }
      if (input.wait && message.state === "queued") {
        return yield* fail(
          "queued",
          "queued",
          `${whyQueued(message, offline, input)}: it is kept here, and the next command that is online sends it`
        )
      }
    })
  )
})
