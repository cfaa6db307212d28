/** A subscription's callback that never throws: a throw would reach nats.js, which closes the whole connection. */
import type { Msg } from "@nats-io/nats-core"

type Log = (level: "warn", message: string, fields: Readonly<Record<string, unknown>>) => void

/** Hands messages to `f`. When that throws it is logged, and `onThrow` may still answer. */
export const guarded =
  (log: Log, f: (message: Msg) => void, onThrow: (message: Msg) => void = () => undefined) =>
  (error: Error | null, message: Msg): void => {
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
