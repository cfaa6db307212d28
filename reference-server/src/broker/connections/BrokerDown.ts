/** The broker cannot be asked now; asking again later is safe. */
import type { Msg, NatsConnection } from "@nats-io/nats-core"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

export class BrokerDown extends Data.TaggedError("BrokerDown")<{ readonly detail: string; readonly cause?: unknown }> {
  override get message(): string {
    return `broker: ${this.detail}`
  }
}

/** Awaits a promise of nats.js; a rejection is `BrokerDown`. */
export const attempt = <A>(f: () => Promise<A>): Effect.Effect<A, BrokerDown> =>
  Effect.tryPromise({ try: f, catch: (cause) => new BrokerDown({ detail: (cause as Error).message, cause }) })

/** Asks on a subject and awaits one answer. */
export const request = (
  connection: NatsConnection,
  subject: string,
  payload: string | Uint8Array,
  timeoutMillis: number
): Effect.Effect<Msg, BrokerDown> => attempt(() => connection.request(subject, payload, { timeout: timeoutMillis }))
