/** Asks nostr relays for stored events (NIP-01), in bounds. The events are not verified here. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Limits from "../../../protocol/Limits.ts"
import { type RelayAnswer, type Tools, Unreachable } from "../Channel.ts"
import { isRefused } from "./HttpGet.ts"
import { refusal } from "./Target.ts"

export interface RelayOptions {
  readonly webSocket: (url: string) => Promise<WebSocket>
  readonly isChosen: (url: URL) => boolean
}

/** One subscription a connection. */
const subscription = "kez"

const failed = (relay: string, detail: string, cause?: unknown): Unreachable =>
  isRefused(cause)
    ? new Unreachable({ reason: "forbidden", detail: `${relay} has no public address`, cause })
    : new Unreachable({
        reason: "network",
        detail: `the relay ${relay} cannot be asked: ${detail}`,
        ...(cause === undefined ? {} : { cause })
      })

/** Reads messages until the relay says that it has sent what it stores, or until it sent too much. */
const converse = (relay: string, socket: WebSocket, filters: ReadonlyArray<object>) =>
  Effect.callback<Pick<RelayAnswer, "events" | "missed">, Unreachable>((resume) => {
    const events: Array<unknown> = []
    let bytes = 0
    const stop = (outcome: Effect.Effect<Pick<RelayAnswer, "events" | "missed">, Unreachable>) => resume(outcome)
    const receive = (text: string) => {
      bytes += text.length
      if (bytes > Limits.proofAnswerBytes) {
        return stop(Effect.succeed({ events, missed: failed(relay, "it sends more than is accepted") }))
      }
      const [kind, id, content] = messageOf(text)
      if (kind === "EVENT" && id === subscription) events.push(content)
      else if (kind === "EOSE" && id === subscription) stop(Effect.succeed({ events }))
      else if (kind === "CLOSED" && id === subscription) {
        stop(
          Effect.fail(failed(relay, `it refuses: ${typeof content === "string" ? content.slice(0, 200) : "no reason"}`))
        )
      }
    }
    const ask = () => socket.send(JSON.stringify(["REQ", subscription, ...filters]))
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) =>
      receive(typeof data === "string" ? data : "")
    )
    socket.addEventListener("error", (event) => {
      const cause = "error" in event ? event.error : undefined
      stop(Effect.fail(failed(relay, "the connection failed", cause)))
    })
    socket.addEventListener("close", () => stop(Effect.fail(failed(relay, "it closed the connection"))))
    if (socket.readyState === socket.OPEN) ask()
    else socket.addEventListener("open", ask)
  })

const messageOf = (text: string): ReadonlyArray<unknown> => {
  try {
    const message: unknown = JSON.parse(text)
    return Array.isArray(message) ? message : []
  } catch {
    return []
  }
}

const askOne = (options: RelayOptions, relay: string, filters: ReadonlyArray<object>) =>
  Effect.gen(function* () {
    const url = URL.parse(relay)
    if (url === null) return yield* failed(relay, "it names no URL")
    const why = refusal(url, "wss:", options.isChosen)
    if (why !== undefined) return yield* new Unreachable({ reason: "forbidden", detail: why })
    const socket = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => options.webSocket(url.href),
        catch: (cause) => failed(relay, "the connection failed", cause)
      }),
      (socket) => Effect.sync(() => socket.close())
    )
    const received = yield* converse(relay, socket, filters)
    return { relay: url.href, fetchedAt: yield* Clock.currentTimeMillis, ...received } satisfies RelayAnswer
  }).pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: Limits.proofAnswerMillis,
      orElse: () => Effect.fail(failed(relay, `no answer within ${Limits.proofAnswerMillis / 1_000} s`))
    }),
    Effect.catch((error) => Effect.succeed(error))
  )

export const events =
  (options: RelayOptions, relays: ReadonlyArray<string>): Tools["events"] =>
  (filters) =>
    Effect.forEach(relays, (relay) => askOne(options, relay, filters), { concurrency: "unbounded" })
