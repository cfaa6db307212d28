/**
 * Whether mail can be stored now. What was stored of late says so; where nothing was, a frame of our own is.
 *
 * The stream's description alone does not say it: it is answered while the disk is full, and while too few replicas are
 * there to store anything.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import { Subject } from "@kez-chat/sdk/protocol"
import * as InboxStream from "./InboxStream.ts"
import { isObject } from "../login/Jwt.ts"

/**
 * Why nothing can be stored: `silent` when the stream does not answer (disk full, write error, no quorum), `absent` when
 * no JetStream is there, `refused` when it says no, `full` when the stream holds all it may.
 */
export type StoreFailure = "silent" | "absent" | "refused" | "full"

export interface StoreProbe {
  /** Stores a frame of our own if it is time to; to be called every second. Never rejects. */
  check(): Promise<void>
  /** A message was stored. */
  noteStored(): void
  /** Undefined while mail is stored, and before anything is known. */
  readonly failure: () => StoreFailure | undefined
}

export interface StoreProbeOptions {
  /** The GATEWAY connection, while it is up. */
  readonly gateway: () => NatsConnection | undefined
  /** The REGISTRAR connection, while it is up. */
  readonly registrar: () => NatsConnection | undefined
  noteLast(seq: number): void
  log(level: "info" | "warn", message: string, fields: Readonly<Record<string, unknown>>): void
}

/** No account has this key: it is no admissible one. */
const probeKey = "0".repeat(64)
/** As much as a page of a file system, so that it does not fit into what is left of the last one. */
const probeBytes = 4_096
const everyMillis = 3_000
const everyMillisWhileFailing = 2_000
const answerMillis = 2_500

export const make = (options: StoreProbeOptions): StoreProbe => {
  const frame = new Uint8Array(probeBytes)
  let failure: StoreFailure | undefined
  let storedAt = -Infinity
  let askedAt = -Infinity
  let asking = false

  const settle = (found: StoreFailure | undefined): void => {
    if (found === undefined) storedAt = performance.now()
    if (found === failure) return
    failure = found
    if (found === undefined) options.log("info", "mail is stored again", {})
    else options.log("warn", "mail cannot be stored", { reason: sentences[found] })
  }

  const store = async (gateway: NatsConnection): Promise<StoreFailure | undefined> => {
    let answer
    try {
      answer = await gateway.request(Subject.self(probeKey), frame, { timeout: answerMillis })
    } catch (error) {
      return (error as Error).name === "NoRespondersError" ? "absent" : "silent"
    }
    if (answer.headers?.code === 503) return "absent"
    const ack: unknown = answer.json()
    if (!isObject(ack)) return "refused"
    if (isObject(ack.error)) return InboxStream.holdsAllItMay.has(ack.error.err_code) ? "full" : "refused"
    if (typeof ack.seq === "number") options.noteLast(ack.seq)
    return undefined
  }

  /** Takes our frame out of the stream again. */
  const remove = async (): Promise<void> => {
    const registrar = options.registrar()
    // What stays behind now goes with the next one.
    if (registrar !== undefined) await InboxStream.purge(registrar, probeKey).catch(() => undefined)
  }

  return {
    check: async () => {
      const now = performance.now()
      const gateway = options.gateway()
      const isDue =
        failure === undefined
          ? now - Math.max(storedAt, askedAt) >= everyMillis
          : now - askedAt >= everyMillisWhileFailing
      if (gateway === undefined || asking || !isDue) return
      asking = true
      askedAt = now
      try {
        let found = await store(gateway)
        // A moment without a leader, or a process that got no turn, is no failure yet.
        if (found !== undefined && failure === undefined && !gateway.isClosed()) found = await store(gateway)
        // What the connection's end cut off says nothing about the store.
        if (options.gateway() === gateway) settle(found)
        if (found === undefined) await remove()
      } catch (error) {
        settle("refused")
        options.log("warn", "the store was not probed", { reason: (error as Error).message })
      } finally {
        asking = false
      }
    },
    noteStored: () => settle(undefined),
    failure: () => failure
  }
}

/** For people: what is the matter. */
export const sentences: Readonly<Record<StoreFailure, string>> = {
  silent: "the broker does not store messages: its disk is full or failing, or too few of its servers are there",
  absent: "the broker has no JetStream: it is starting, or its storage failed",
  refused: "the broker refuses to store messages",
  full: "the room for all inboxes together is used up"
}
