/**
 * Tells an account how full its inbox is, and removes what its devices hold (spec KEZ-NAT-057 to 061): a request on
 * `kez.trim.<own>`.
 *
 * Whose frames go comes from the subject alone, which the broker lets only that user publish on. REGISTRAR removes them,
 * one account at a time; GATEWAY, which reads what users write, has no right to remove anything.
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core"
import { BrokerAnswer, Subject, Trim } from "@kez-chat/sdk/protocol"
import * as Result from "effect/Result"
import type { FloodGuard } from "../limits/FloodGuard.ts"
import { guarded } from "./Guarded.ts"
import * as InboxStream from "../stream/InboxStream.ts"
import { dayMillis, type Quotas } from "../limits/Quotas.ts"
import * as RequestBudget from "../limits/RequestBudget.ts"
import * as RequestHeaders from "./RequestHeaders.ts"

export interface TrimResponderOptions {
  readonly isActive: (hex: string) => boolean
  readonly quotas: Quotas
  readonly guard: FloodGuard
  /** The connection of REGISTRAR, which removes, and GATEWAY's that reads the stream; undefined while they are down. */
  registrar(): NatsConnection | undefined
  store(): NatsConnection | undefined
  /** The stream's epoch. Rejects while it is not known. */
  streamState(): Promise<{ readonly epoch: string }>
  log(level: "warn", message: string, fields: Readonly<Record<string, unknown>>): void
}

export interface TrimResponder {
  /** Takes requests from a connection logged in as GATEWAY, and answers there. */
  listen(connection: NatsConnection): void
  /** `trims` removed frames or found none; `questions` only asked. */
  readonly counters: Record<"trims" | "questions" | "bad" | "slow" | "retry", number>
}

type Removal = NonNullable<Trim.Request["remove"]>
type Outcome =
  | "bad"
  | "retry"
  /** Too often: again from then on, in milliseconds since the epoch. */
  | { readonly at: number }
  | { readonly kind: "trims" | "questions"; readonly answer: Uint8Array }

/** Each account may ask so often at once, and then once in so many milliseconds. */
const questionBurst = 20
const questionRefillMillis = 1_000
/** One removal of an account in so many milliseconds. */
const trimEveryMillis = 60_000
/** Removals that wait for their turn. The broker lets us answer within 10 s, and each takes milliseconds. */
const maxWaiting = 64

export const make = (options: TrimResponderOptions): TrimResponder => {
  const { guard, quotas } = options
  const counters = { trims: 0, questions: 0, bad: 0, slow: 0, retry: 0 }
  const questions = RequestBudget.make(questionBurst, questionRefillMillis)
  let turn: Promise<unknown> = Promise.resolve()
  let waiting = 0

  const receive = (intake: NatsConnection, message: Msg): void => {
    const hex = message.subject.slice(Subject.trim("").length)
    const { data, reply = "" } = message
    // Who floods gets no answer: its connections are being closed.
    if (reply === "" || guard.isShutOut(hex)) return guard.refused(hex, RequestHeaders.sizeOf(message))
    const request = Result.getOrUndefined(Trim.parseRequest(data))
    const respond = (outcome: Outcome): void => {
      counters[typeof outcome === "string" ? outcome : "at" in outcome ? "slow" : outcome.kind] += 1
      // What fails here is nobody's fault.
      if (outcome === "bad" || (typeof outcome === "object" && "at" in outcome))
        guard.refused(hex, RequestHeaders.sizeOf(message))
      try {
        if (!intake.isClosed()) intake.publish(reply, encode(outcome))
      } catch {
        // The connection is closing.
      }
    }
    if (request === undefined || !options.isActive(hex)) return respond("bad")
    if (!questions.take(hex)) return respond({ at: Date.now() + questionRefillMillis })
    const { remove } = request
    const carriedOut = remove === undefined ? ask(hex, request) : inTurn(() => trim(hex, request, remove))
    carriedOut.then(respond).catch((error: unknown) => {
      options.log("warn", "a trim was not carried out", { reason: (error as Error).message })
      respond("retry")
    })
  }

  /** One removal after the other. */
  const inTurn = (f: () => Promise<Outcome>): Promise<Outcome> => {
    if (waiting >= maxWaiting) return Promise.resolve("retry")
    waiting += 1
    const outcome = turn.then(f)
    turn = outcome.catch(() => undefined).finally(() => (waiting -= 1))
    return outcome
  }

  const trim = async (hex: string, { box, nonce }: Trim.Request, removal: Removal): Promise<Outcome> => {
    const [registrar, store] = [options.registrar(), options.store()]
    if (registrar === undefined || store === undefined) return "retry"
    // The leader's word: numbers of another epoch would mean other frames.
    const { epoch, lastSeq } = await InboxStream.info(registrar)
    if (removal.epoch !== epoch || removal.upTo > lastSeq) return "bad"
    const now = Date.now()
    const before = quotas.beginTrim(hex, now - trimEveryMillis, now)
    if (before !== undefined) return { at: before + trimEveryMillis }
    try {
      await InboxStream.trim(registrar, box, hex, removal.upTo)
    } catch (error) {
      quotas.undoTrim(hex)
      throw error
    }
    const oldest = await InboxStream.oldest(store, box, hex)
    quotas.trimmed(hex, box, oldest === undefined ? undefined : Math.floor(oldest / dayMillis))
    return { kind: "trims", answer: Trim.encodeAnswer(reportOf(hex, box, epoch, oldest), nonce) }
  }

  const ask = async (hex: string, { box, nonce }: Trim.Request): Promise<Outcome> => {
    const store = options.store()
    if (store === undefined) return "retry"
    const { epoch } = await options.streamState()
    const oldest = await InboxStream.oldest(store, box, hex)
    return { kind: "questions", answer: Trim.encodeAnswer(reportOf(hex, box, epoch, oldest), nonce) }
  }

  const reportOf = (hex: string, box: Trim.Box, epoch: string, oldestMillis: number | undefined): Trim.Report => ({
    epoch,
    ...quotas.usage(hex, box),
    ...(oldestMillis === undefined ? {} : { oldestMillis })
  })

  return {
    listen: (connection) => {
      connection.subscribe(Subject.trim("*"), {
        queue: "kez-trim",
        callback: guarded(
          options.log,
          (message) => receive(connection, message),
          (message) => {
            if (message.reply !== "") message.respond(BrokerAnswer.encodeRefusal({ code: "retry" }))
          }
        )
      })
    },
    counters
  }
}

const encode = (outcome: Outcome): Uint8Array => {
  if (typeof outcome === "string") return BrokerAnswer.encodeRefusal({ code: outcome })
  return "at" in outcome ? BrokerAnswer.encodeRefusal({ code: "slow", untilMillis: outcome.at }) : outcome.answer
}
