/**
 * At most one process owns a profile. The lock is SQLite's own lock on a file that is never written to: the operating
 * system releases it when the process ends in any way, so a dead owner needs no detection.
 */
import { AdapterUnavailable } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { closeSync, openSync } from "node:fs"
import type { CliFailure } from "../Failure.ts"
import { attempt } from "../SystemError.ts"

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code ?? "")

/** Takes the lock until the scope closes, without waiting; false if another process holds it. */
export const tryAcquire = Effect.fn("Lock.tryAcquire")(function* (
  file: string
): Effect.fn.Return<boolean, CliFailure | AdapterUnavailable, Scope.Scope> {
  const { default: Database } = yield* Effect.tryPromise({
    try: () => import("better-sqlite3"),
    catch: (cause) =>
      new AdapterUnavailable({
        adapter: "the local store",
        package: "better-sqlite3",
        install: "npm install better-sqlite3",
        cause
      })
  })
  const held = yield* Effect.acquireRelease(
    attempt("lock", `cannot lock ${file}`, () => {
      closeSync(openSync(file, "a", 0o600))
      const database = new Database(file, { timeout: 0 })
      try {
        database.exec("BEGIN EXCLUSIVE")
        return database
      } catch (error) {
        database.close()
        if (codeOf(error).startsWith("SQLITE_BUSY")) return undefined
        throw error
      }
    }),
    (database) => Effect.sync(() => database?.close())
  )
  return held !== undefined
})
