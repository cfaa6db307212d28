/** Logging from plain callbacks, which cannot yield an Effect. */
import * as Effect from "effect/Effect"

export type CallbackLog = (level: "info" | "warn", message: string, fields: Readonly<Record<string, unknown>>) => void

/** Writes with the loggers and annotations of the fiber that asks for it. */
export const callbackLog: Effect.Effect<CallbackLog> = Effect.map(Effect.context<never>(), (context) => {
  const runFork = Effect.runForkWith(context)
  return (level, message, fields) => {
    const line = level === "warn" ? Effect.logWarning(message) : Effect.logInfo(message)
    runFork(Effect.annotateLogs(line, fields))
  }
})
