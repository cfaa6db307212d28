/**
 * Subscriptions whose callback never throws: a throw would reach nats.js, which closes the whole connection.
 *
 * Messages are handled by plain callbacks, without a fiber for each: this path is measured (bench/broker.bench.ts).
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core"
import type { CallbackLog } from "../../process/CallbackLog.ts"

/** Hands messages to `f`. When that throws it is logged, and `onThrow` may still answer. */
export const subscribe = (
  connection: NatsConnection,
  { queue, subject }: { readonly subject: string; readonly queue?: string },
  log: CallbackLog,
  f: (message: Msg) => void,
  onThrow: (message: Msg) => void = () => undefined
): void => {
  connection.subscribe(subject, {
    ...(queue === undefined ? {} : { queue }),
    callback: (error, message) => {
      if (error !== null) return
      try {
        f(message)
      } catch (thrown) {
        log("warn", "message not handled", { reason: (thrown as Error).message })
        try {
          onThrow(message)
        } catch {
          // The connection is closing.
        }
      }
    }
  })
}
