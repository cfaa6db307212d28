/**
 * The stream's epoch and last sequence number as the responders need them.
 *
 * `last` on a page must never be smaller than a number a client may have seen, or the client would start again for
 * nothing. What this process stored and read is known at once; a client that knows more than that has it from another
 * instance, and then the stream's leader is asked, once for all who wait.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import * as InboxStream from "./InboxStream.ts"
import type { Quotas } from "../limits/Quotas.ts"

export interface StreamWatch {
  /** Makes or updates the stream, on a new REGISTRAR connection. */
  start(connection: NatsConnection): Promise<void>
  /** That connection is gone: the stream behind the next one may be another. */
  stop(): void
  /** The epoch and a last number of at least `atLeast`, if the stream has come that far. Rejects while it is not known. */
  current(atLeast: number): Promise<{ readonly epoch: string; readonly lastSeq: number }>
  noteLast(seq: number): void
  /** What was last heard of the stream. */
  readonly state: () => InboxStream.StreamState | undefined
  /** Asks the leader again: sizes for the metrics, and the epoch, which another instance may have replaced. */
  refresh(): Promise<void>
}

/** A new leader may say too little for a moment; a stream that has really gone back keeps saying it. */
const recheckMillis = 1_000
const rechecks = 4

export const make = (
  options: InboxStream.InboxStreamOptions,
  quotas: Quotas,
  registrar: () => NatsConnection | undefined,
  log: (level: "warn", message: string, fields: Readonly<Record<string, unknown>>) => void
): StreamWatch => {
  let state: InboxStream.StreamState | undefined
  let asking: Promise<InboxStream.StreamState> | undefined
  /** The epoch that this process's own count of the last number belongs to. */
  let counted: string | undefined

  const take = (fresh: InboxStream.StreamState): InboxStream.StreamState => {
    const lastSeq = state?.epoch === fresh.epoch ? Math.max(state.lastSeq, fresh.lastSeq) : fresh.lastSeq
    state = { ...fresh, lastSeq }
    if (counted !== undefined && counted !== fresh.epoch) quotas.dropLast()
    counted = fresh.epoch
    quotas.noteLast(lastSeq)
    return state
  }

  const ask = (): Promise<InboxStream.StreamState> => {
    const connection = registrar()
    if (connection === undefined) return Promise.reject(new Error("the broker is not connected"))
    asking ??= InboxStream.info(connection)
      .then(take)
      .finally(() => {
        asking = undefined
      })
    return asking
  }

  return {
    start: async (connection) => {
      let fresh = await InboxStream.ensure(connection, options)
      /** What is known of this epoch: if another instance has replaced it, what was counted before means nothing. */
      const known = () => {
        if (counted !== undefined && counted !== fresh.epoch) quotas.dropLast()
        counted = fresh.epoch
        return quotas.knownLast()
      }
      for (let i = 0; i < rechecks && fresh.lastSeq < known(); i++) {
        await new Promise((resolve) => setTimeout(resolve, recheckMillis))
        fresh = await InboxStream.info(connection)
      }
      const highest = known()
      if (fresh.lastSeq < highest) {
        // Acknowledged frames are gone (a restored backup, a lost disk). Their numbers will be given out again, so they
        // must belong to another epoch, or clients would take new frames for ones they have.
        log("warn", "the inbox stream has gone back; clients start again under a new epoch", {
          known: highest,
          found: fresh.lastSeq
        })
        fresh = await InboxStream.ensure(connection, options, fresh.epoch)
        // Only now: a crash before it makes one epoch too many, a crash between the two would make none.
        quotas.resetLast()
        counted = fresh.epoch
      }
      state = undefined
      take(fresh)
    },
    stop: () => {
      state = undefined
    },
    current: async (atLeast) => {
      if (state !== undefined && atLeast <= state.lastSeq) return state
      // An answer that was already under way may be older than what this client saw.
      const underWay = asking
      const answer = await ask()
      return underWay === undefined || atLeast <= answer.lastSeq ? answer : ask()
    },
    noteLast: (seq) => {
      if (state !== undefined && seq > state.lastSeq) state = { ...state, lastSeq: seq }
      quotas.noteLast(seq)
    },
    state: () => state,
    refresh: async () => {
      const connection = registrar()
      if (connection === undefined) return
      try {
        await ask()
      } catch (error) {
        if (!(error instanceof InboxStream.JetStreamError) || !error.isNotFound) return
        log("warn", "the inbox stream is gone", {})
        // Dialling again makes a new one.
        await connection.close()
      }
    }
  }
}
