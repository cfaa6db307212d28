/**
 * Whether mail can be stored now. Recent stores show it; when there were none, a frame of our own is stored.
 *
 * The stream's description alone does not show it: it is answered while the disk is full, and while too few replicas
 * are there to store anything.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import { Subject } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import { callbackLog } from "../../process/CallbackLog.ts"
import { every } from "../../process/Every.ts"
import { request } from "../connections/BrokerDown.ts"
import type { RoleConnection } from "../connections/RoleConnection.ts"
import { isObject } from "../JsonObject.ts"
import * as InboxStream from "./InboxStream.ts"

/**
 * Why nothing can be stored: `silent` when the stream does not answer (disk full, write error, no quorum), `absent`
 * when no JetStream is there, `refused` when it says no, `full` when the stream holds all it may.
 */
export type StoreFailure = "silent" | "absent" | "refused" | "full"

export interface StoreProbeOptions {
  /** The GATEWAY connection, while it is up and the stream behind it is known. */
  readonly gateway: () => NatsConnection | undefined
  readonly registrar: RoleConnection
  noteLast(seq: number): void
}

/** Not an admissible key, so no account has it. */
const probeKey = "0".repeat(64)
/** A whole page of the file system, so that it does not fit into the rest of the last one. */
const probeBytes = 4_096
/** How often to check whether a probe is due. */
const checkMillis = 1_000
const everyMillis = 3_000
const everyMillisWhileFailing = 2_000
const answerMillis = 2_500

export type StoreProbe = Effect.Success<ReturnType<typeof make>>

/** Probes the store until the scope closes. */
export const make = Effect.fnUntraced(function* (options: StoreProbeOptions) {
  const log = yield* callbackLog
  const frame = new Uint8Array(probeBytes)
  let failure: StoreFailure | undefined
  let storedAt = -Infinity
  let askedAt = -Infinity

  const settle = (found: StoreFailure | undefined): void => {
    if (found === undefined) storedAt = performance.now()
    if (found === failure) return
    failure = found
    if (found === undefined) log("info", "mail is stored again", {})
    else log("warn", "mail cannot be stored", { reason: sentences[found] })
  }

  const store = (gateway: NatsConnection): Effect.Effect<StoreFailure | undefined> =>
    request(gateway, Subject.self(probeKey), frame, answerMillis).pipe(
      Effect.map((answer): StoreFailure | undefined => {
        if (answer.headers?.code === 503) return "absent"
        const ack: unknown = answer.json()
        if (!isObject(ack)) return "refused"
        if (isObject(ack.error)) return InboxStream.storageFull.has(ack.error.err_code) ? "full" : "refused"
        if (typeof ack.seq === "number") options.noteLast(ack.seq)
        return undefined
      }),
      Effect.catchTag("BrokerDown", ({ cause }) =>
        Effect.succeed((cause as Error).name === "NoRespondersError" ? ("absent" as const) : ("silent" as const))
      )
    )

  /** Removes our frame from the stream; if that fails, the next purge does it. */
  const remove = options.registrar.get.pipe(
    Effect.flatMap((registrar) => InboxStream.purge(registrar, probeKey)),
    Effect.ignore
  )

  const isDue = (now: number): boolean =>
    failure === undefined ? now - Math.max(storedAt, askedAt) >= everyMillis : now - askedAt >= everyMillisWhileFailing

  const check = Effect.gen(function* () {
    const now = performance.now()
    const gateway = options.gateway()
    if (gateway === undefined || !isDue(now)) return
    askedAt = now
    let found = yield* store(gateway)
    // A moment without a leader, or a starved process, is not yet a failure.
    if (found !== undefined && failure === undefined && !gateway.isClosed()) found = yield* store(gateway)
    // A probe that was cut off with its connection says nothing about the store.
    if (options.gateway() === gateway) settle(found)
    if (found === undefined) yield* remove
  }).pipe(
    // For one, an answer that is not JSON.
    Effect.tapDefect(() => Effect.sync(() => settle("refused")))
  )
  yield* every(checkMillis, "the store was not probed", check)

  return {
    noteStored: () => settle(undefined),
    /** Undefined while mail is stored, and before anything is known. */
    failure: () => failure
  }
})

/** For people: why mail cannot be stored. */
export const sentences: Readonly<Record<StoreFailure, string>> = {
  silent:
    "the broker does not store messages: its disk is full or failing, or was and it has to be restarted, or too few of its servers are there",
  absent: "the broker has no JetStream: it is starting, or its storage failed",
  refused: "the broker refuses to store messages",
  full: "the room for all inboxes together is used up"
}
