/**
 * Answers the broker's login requests on `$SYS.REQ.USER.AUTH`, sealed both ways with xkeys.
 *
 * Requests wait in a bounded queue and are answered in short slices, so that a burst of logins cannot starve the rest
 * of the server. A request that has waited too long is dropped unanswered: the broker is about to give up on it, and a
 * late answer would only delay the next one. Without an answer the login fails. Plain callbacks, since every login
 * passes here.
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core"
import * as Effect from "effect/Effect"
import { callbackLog } from "../../process/CallbackLog.ts"
import type { ActiveCheck } from "../ActiveCheck.ts"
import { subscribe } from "../connections/Subscription.ts"
import type { BrokerKeys } from "./Keys.ts"
import * as Login from "./Login.ts"
import * as XkeyBox from "./XkeyBox.ts"

export interface CalloutOptions {
  readonly keys: Pick<BrokerKeys, "issuer" | "xkey">
  readonly context: Omit<Login.LoginContext, "issuer">
  readonly checkActive: ActiveCheck
  /** Called for each accepted login. */
  onAccepted(hex: string, server: string, connection: number): void
  onRefused(refusal: Login.Refusal): void
}

export type Callout = Effect.Success<ReturnType<typeof make>>

/** Requests that may wait; beyond it a burst costs timeouts rather than memory. */
const maxWaiting = 2048
/** The broker waits 2 s; an answer to an older request would come too late. */
const maxWaitMillis = 1200
/** Longest time spent answering before other work gets a turn. */
const sliceMillis = 8

export const make = Effect.fnUntraced(function* (options: CalloutOptions) {
  const log = yield* callbackLog
  const box = XkeyBox.make(options.keys.xkey.key)
  const context: Login.LoginContext = { ...options.context, issuer: options.keys.issuer }
  const counters = { accepted: 0, refused: 0, shed: 0, unreadable: 0 }
  let waiting: Array<{ readonly message: Msg; readonly since: number }> = []
  let draining = false

  /** Of a key that is not known to be active, another chat-server may know more: then the database is asked first. */
  const answer = (message: Msg, isAsked = false): void => {
    const peers = message.headers?.values("Nats-Server-Xkey") ?? []
    const peer = peers.length === 1 ? peers[0] : undefined
    const request = peer === undefined ? undefined : box.open(peer, message.data)
    if (peer === undefined || request === undefined) {
      counters.unreadable += 1
      return
    }
    const { jwt, outcome } = Login.answer(context, Buffer.from(request).toString("latin1"), Date.now())
    if (outcome._tag === "Refused" && outcome.unregistered !== undefined && !isAsked) {
      return ask(message, outcome.unregistered)
    }
    if (outcome._tag === "Accepted") {
      counters.accepted += 1
      // Noted before the answer: a revocation in between must know this connection.
      options.onAccepted(outcome.hex, outcome.server, outcome.connection)
    } else {
      counters.refused += 1
      options.onRefused(outcome.refusal)
    }
    const sealed = jwt === undefined ? undefined : box.seal(peer, Buffer.from(jwt))
    if (sealed !== undefined) message.respond(sealed)
  }

  const ask = (message: Msg, hex: string): void =>
    options.checkActive(hex, (isActive) => {
      // No answer is better than a refusal, which a client takes for the end of its account.
      if (isActive === undefined) counters.shed += 1
      else safely(message, true)
    })

  const safely = (message: Msg, isAsked: boolean): void => {
    try {
      answer(message, isAsked)
    } catch (error) {
      // A throw must not reach nats.js, which would close the connection.
      log("warn", "login request not answered", { reason: (error as Error).message })
    }
  }

  const drain = (): void => {
    const now = performance.now()
    let next = 0
    for (; next < waiting.length && performance.now() - now < sliceMillis; next++) {
      const { message, since } = waiting[next] as (typeof waiting)[number]
      if (now - since > maxWaitMillis) {
        counters.shed += 1
        continue
      }
      safely(message, false)
    }
    waiting = waiting.slice(next)
    draining = waiting.length > 0
    if (draining) setImmediate(drain)
  }

  const receive = (message: Msg): void => {
    if (waiting.length >= maxWaiting) {
      counters.shed += 1
      return
    }
    waiting.push({ message, since: performance.now() })
    if (!draining) {
      draining = true
      setImmediate(drain)
    }
  }

  return {
    /** Answers on a connection logged in as CALLOUT. */
    listen: (connection: NatsConnection) =>
      Effect.sync(() => subscribe(connection, { subject: "$SYS.REQ.USER.AUTH", queue: "kez-callout" }, log, receive)),
    counters
  }
})
