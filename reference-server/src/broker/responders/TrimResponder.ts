/**
 * Reports how full an account's inbox is, and removes frames that its devices hold (spec KEZ-NAT-057 to 061): a request
 * on `kez.trim.<own>`.
 *
 * The account comes from the subject alone, on which the broker lets only that user publish. REGISTRAR removes the
 * frames, one account at a time; GATEWAY, which reads users' requests, has no permission to remove anything.
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core"
import { BrokerAnswer, type Problem, Subject, Trim } from "@kez-chat/sdk/protocol"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type { ActiveCheck } from "../ActiveCheck.ts"
import { callbackLog } from "../../process/CallbackLog.ts"
import { subscribe } from "../connections/Subscription.ts"
import type { FloodGuard } from "../limits/FloodGuard.ts"
import type { Quotas } from "../limits/Quotas.ts"
import * as RequestBudget from "../limits/RequestBudget.ts"
import type { TrimTimes } from "../limits/TrimTimes.ts"
import * as InboxStream from "../stream/InboxStream.ts"
import type { Partition } from "../stream/Partitions.ts"
import * as RequestHeaders from "./RequestHeaders.ts"

export interface TrimResponderOptions {
  readonly checkActive: ActiveCheck
  readonly quotas: Quotas
  readonly times: TrimTimes
  readonly guard: FloodGuard
  /** The stream of an account. */
  partition(hex: string): Pick<Partition, "registrar" | "store" | "stream">
}

export type TrimResponder = Effect.Success<ReturnType<typeof make>>

type Removal = NonNullable<Trim.Request["remove"]>
type Outcome =
  | (BrokerAnswer.Refusal & { readonly code: "bad" | "slow" | "retry" })
  | { readonly kind: "trims" | "questions"; readonly answer: Uint8Array }

/** Burst size and refill interval of an account's requests. */
const questionBurst = 20
const questionRefillMillis = 1_000
/** Interval between two removals of an account. */
const trimEveryMillis = 60_000
/** Removals that wait for their turn. The broker lets us answer within 10 s, and each takes milliseconds. */
const maxWaiting = 64

const bad: Outcome = { code: "bad" }
const retry: Outcome = { code: "retry" }

export const make = Effect.fnUntraced(function* (options: TrimResponderOptions) {
  const { guard, quotas, times } = options
  const log = yield* callbackLog
  const fork = yield* FiberSet.makeRuntime()
  const turn = yield* Semaphore.make(1)
  /** `trims` removed frames or found none; `questions` only asked. */
  const counters = { trims: 0, questions: 0, bad: 0, slow: 0, retry: 0 }
  const questions = RequestBudget.make(questionBurst, questionRefillMillis)
  let waiting = 0

  const respond = (intake: NatsConnection, hex: string, message: Msg, outcome: Outcome): void => {
    counters["code" in outcome ? outcome.code : outcome.kind] += 1
    // A `retry` is the server's fault.
    if ("code" in outcome && outcome.code !== "retry") guard.refused(hex, RequestHeaders.sizeOf(message))
    try {
      const bytes = "code" in outcome ? BrokerAnswer.encodeRefusal(outcome) : outcome.answer
      if (!intake.isClosed()) intake.publish(message.reply as string, bytes)
    } catch {
      // The connection is closing.
    }
  }

  /** Refusals need no fiber; what asks the stream gets one. */
  const receive = (intake: NatsConnection, message: Msg): void => {
    const hex = message.subject.slice(Subject.trim("").length)
    const { data, reply = "" } = message
    // A flooding account gets no answer: its connections are being closed.
    if (reply === "" || guard.isShutOut(hex)) return guard.refused(hex, RequestHeaders.sizeOf(message))
    const request = Result.getOrUndefined(Trim.parseRequest(data))
    if (request === undefined) return respond(intake, hex, message, bad)
    options.checkActive(hex, (isActive) =>
      isActive === true
        ? carryOut(intake, hex, message, request)
        : respond(intake, hex, message, isActive === false ? bad : retry)
    )
  }

  const carryOut = (intake: NatsConnection, hex: string, message: Msg, request: Trim.Request): void => {
    if (!questions.take(hex)) {
      return respond(intake, hex, message, { code: "slow", untilMillis: Date.now() + questionRefillMillis })
    }
    const { remove } = request
    const outcome = remove === undefined ? ask(hex, request) : inTurn(trim(hex, request, remove))
    fork(
      outcome.pipe(
        Effect.catchCauseIf(
          (cause) => !Cause.hasInterrupts(cause),
          (cause) => {
            log("warn", "trim failed", { reason: (Cause.squash(cause) as Error).message })
            return Effect.succeed(retry)
          }
        ),
        Effect.map((found) => respond(intake, hex, message, found))
      )
    )
  }

  /** Removals run one at a time. */
  const inTurn = <E>(effect: Effect.Effect<Outcome, E>): Effect.Effect<Outcome, E> =>
    Effect.suspend(() => {
      if (waiting >= maxWaiting) return Effect.succeed(retry)
      waiting += 1
      return Effect.ensuring(
        turn.withPermit(effect),
        Effect.sync(() => (waiting -= 1))
      )
    })

  const trim = Effect.fn("TrimResponder.trim")(function* (
    hex: string,
    { box, nonce }: Trim.Request,
    removal: Removal
  ): Effect.fn.Return<Outcome, InboxStream.StreamFailure | Problem.Problem> {
    const partition = options.partition(hex)
    const [registrar, store] = [partition.registrar.current(), partition.store.current()]
    if (registrar === undefined || store === undefined) return retry
    // From the leader: numbers of another epoch would mean other frames.
    const { epoch, lastSeq } = yield* InboxStream.info(registrar)
    if (removal.epoch !== epoch || removal.upTo > lastSeq) return bad
    const now = Date.now()
    const before = yield* times.begin(hex, now - trimEveryMillis, now)
    if (before !== undefined) return { code: "slow", untilMillis: before + trimEveryMillis }
    yield* Effect.tapCause(InboxStream.trim(registrar, box, hex, removal.upTo), () => Effect.ignore(times.undo(hex)))
    const oldest = yield* InboxStream.oldest(store, box, hex)
    yield* quotas.trimmed(hex, box, oldest)
    return { kind: "trims", answer: Trim.encodeAnswer(yield* reportOf(hex, box, epoch, oldest), nonce) }
  })

  const ask = Effect.fn("TrimResponder.ask")(function* (
    hex: string,
    { box, nonce }: Trim.Request
  ): Effect.fn.Return<Outcome, InboxStream.StreamFailure | Problem.Problem> {
    const partition = options.partition(hex)
    const store = partition.store.current()
    if (store === undefined) return retry
    const { epoch } = yield* partition.stream.current(0)
    const oldest = yield* InboxStream.oldest(store, box, hex)
    return { kind: "questions", answer: Trim.encodeAnswer(yield* reportOf(hex, box, epoch, oldest), nonce) }
  })

  const reportOf = (hex: string, box: Trim.Box, epoch: string, oldestMillis: number | undefined) =>
    Effect.map(quotas.usage(hex, box), (usage): Trim.Report => ({
      epoch,
      ...usage,
      ...(oldestMillis === undefined ? {} : { oldestMillis })
    }))

  return {
    /** Takes requests from a connection logged in as GATEWAY, and answers there. */
    listen: (connection: NatsConnection) =>
      Effect.sync(() =>
        subscribe(
          connection,
          { subject: Subject.trim("*"), queue: "kez-trim" },
          log,
          (message) => receive(connection, message),
          (message) => {
            if (message.reply !== "") message.respond(BrokerAnswer.encodeRefusal({ code: "retry" }))
          }
        )
      ),
    counters
  }
})
