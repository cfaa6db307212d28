/**
 * Maintains the lists of senders whose frames an account's home does not keep (spec KEZ-NAT-062 to 064). The account
 * comes from the subject alone, on which the broker lets only that user publish. Requests are handled in plain
 * callbacks.
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core"
import { Block, BrokerAnswer, Subject } from "@kez-chat/sdk/protocol"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Result from "effect/Result"
import type { ActiveCheck } from "../ActiveCheck.ts"
import { callbackLog } from "../../process/CallbackLog.ts"
import { subscribe } from "../connections/Subscription.ts"
import type { FloodGuard } from "../limits/FloodGuard.ts"
import * as RequestBudget from "../limits/RequestBudget.ts"
import type { Blocks } from "./Blocks.ts"
import * as RequestHeaders from "./RequestHeaders.ts"

export interface BlockResponderOptions {
  readonly checkActive: ActiveCheck
  readonly blocks: Blocks
  readonly guard: FloodGuard
}

/** Burst size and refill interval of the changes that an account may make to its list. */
const burst = 500
const refillMillis = 200

interface Waiting {
  readonly message: Msg
  readonly request: Block.Request
  readonly owner: string
}

const retry = (message: Msg): void => {
  try {
    if (message.reply !== "") message.respond(BrokerAnswer.encodeRefusal({ code: "retry" }))
  } catch {
    // The connection is closing.
  }
}

export const make = Effect.fnUntraced(function* (options: BlockResponderOptions) {
  const { guard } = options
  const log = yield* callbackLog
  const budget = RequestBudget.make(burst, refillMillis)
  const fork = yield* FiberSet.makeRuntime()
  let waiting: Array<Waiting> = []
  let isScheduled = false

  const receive = (message: Msg): void => {
    const owner = message.subject.slice(Subject.block("").length)
    const { data, reply = "" } = message
    if (reply === "" || guard.isShutOut(owner)) return guard.refused(owner, RequestHeaders.sizeOf(message))
    const request = Result.getOrUndefined(Block.parseRequest(data))
    if (request === undefined || request.who === owner) return refuse(message, owner, "bad")
    options.checkActive(owner, (isActive) =>
      isActive === undefined
        ? retry(message)
        : isActive
          ? enqueue({ message, request, owner })
          : refuse(message, owner, "bad")
    )
  }

  const enqueue = ({ message, owner, request }: Waiting): void => {
    if (!budget.take(owner)) return refuse(message, owner, "slow")
    waiting.push({ message, request, owner })
    schedule()
  }

  const refuse = (message: Msg, owner: string, code: "bad" | "full" | "slow"): void => {
    guard.refused(owner, RequestHeaders.sizeOf(message))
    message.respond(BrokerAnswer.encodeRefusal({ code }))
  }

  const schedule = (): void => {
    if (isScheduled) return
    isScheduled = true
    setImmediate(() => fork(carryOut))
  }

  /** Requests that arrive together share one disk write, or one account's whole list would delay everybody's mail. */
  const carryOut = Effect.suspend(() => {
    const taken = waiting
    waiting = []
    return options.blocks.change(taken.map(({ owner, request: { op, who } }) => ({ op, owner, who }))).pipe(
      Effect.map((done) => {
        for (const [i, { message, owner, request }] of taken.entries()) {
          if (done[i] === true) message.respond(Block.encodeAnswer(request.nonce))
          else refuse(message, owner, "full")
        }
      }),
      Effect.catchCause((cause) =>
        Effect.sync(() => {
          log("warn", "block lists not changed", { reason: (Cause.squash(cause) as Error).message })
          for (const { message } of taken) retry(message)
        })
      ),
      Effect.ensuring(
        Effect.sync(() => {
          isScheduled = false
          if (waiting.length > 0) schedule()
        })
      )
    )
  })

  return {
    /** Takes requests from a connection logged in as GATEWAY, and answers there. */
    listen: (connection: NatsConnection) =>
      Effect.sync(() => subscribe(connection, { subject: Subject.block("*"), queue: "kez-block" }, log, receive, retry))
  }
})
