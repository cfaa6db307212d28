/**
 * Takes down whose frames an account's home is not to keep (spec KEZ-NAT-062 to 064). Whose list it is comes from the
 * subject alone, which the broker lets only that user publish on.
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core"
import { Block, Subject } from "@kez-chat/sdk/protocol"
import * as Result from "effect/Result"
import type { Blocks } from "./Blocks.ts"
import type { FloodGuard } from "./FloodGuard.ts"
import { guarded } from "./Guarded.ts"
import * as RequestBudget from "./RequestBudget.ts"
import * as RequestHeaders from "./RequestHeaders.ts"

export interface BlockResponderOptions {
  readonly isActive: (hex: string) => boolean
  readonly blocks: Blocks
  readonly guard: FloodGuard
  log(level: "warn", message: string, fields: Readonly<Record<string, unknown>>): void
}

export interface BlockResponder {
  /** Takes requests from a connection logged in as GATEWAY, and answers there. */
  listen(connection: NatsConnection): void
}

/** An account may change its list so often at once, and then once in so many milliseconds: each change is a disk write. */
const burst = 500
const refillMillis = 200

export const make = (options: BlockResponderOptions): BlockResponder => {
  const { guard } = options
  const budget = RequestBudget.make(burst, refillMillis)

  const receive = (message: Msg): void => {
    const owner = message.subject.slice(Subject.block("").length)
    const { data, reply = "" } = message
    if (reply === "" || guard.isShutOut(owner)) return guard.refused(owner, RequestHeaders.sizeOf(message))
    const answer = carryOut(owner, data)
    if (typeof answer === "string") guard.refused(owner, RequestHeaders.sizeOf(message))
    message.respond(typeof answer === "string" ? JSON.stringify({ e: answer }) : answer)
  }

  const carryOut = (owner: string, data: Uint8Array): Uint8Array | "bad" | "full" | "slow" => {
    const request = Result.getOrUndefined(Block.parseRequest(data))
    if (request === undefined || request.who === owner || !options.isActive(owner)) return "bad"
    if (!budget.take(owner)) return "slow"
    if (request.op === "add" && !options.blocks.add(owner, request.who)) return "full"
    if (request.op === "remove") options.blocks.remove(owner, request.who)
    return Block.encodeAnswer(request.nonce)
  }

  return {
    listen: (connection) => {
      connection.subscribe(Subject.block("*"), {
        queue: "kez-block",
        callback: guarded(options.log, receive, (message) => {
          if (message.reply !== "") message.respond('{"e":"retry"}')
        })
      })
    }
  }
}
