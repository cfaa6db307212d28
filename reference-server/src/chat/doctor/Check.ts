/** Checks of `kez-chat-server doctor`: each gives findings, within a bounded time, whatever it meets. */
import * as Effect from "effect/Effect"

export type State = "ok" | "warning" | "failed"

/** What a check found, and what the operator can do about it. */
export interface Finding {
  readonly check: string
  readonly state: State
  readonly found: string
  /** Missing only where all is well. */
  readonly remedy?: string
}

export type Findings = ReadonlyArray<Omit<Finding, "check">>

/** A check. What it throws is a finding too, with this remedy. */
export interface Check {
  readonly name: string
  readonly remedy: string
  readonly run: (signal: AbortSignal) => Promise<Findings>
}

/** The longest that a check may take, in milliseconds. */
const checkMillis = 15_000

export const ok = (found: string): Findings => [{ state: "ok", found }]
export const warning = (found: string, remedy: string): Findings => [{ state: "warning", found, remedy }]
export const failed = (found: string, remedy: string): Findings => [{ state: "failed", found, remedy }]

/** The error's own sentence; errors of several addresses have none. */
export const reasonOf = (cause: unknown): string => {
  const error = cause as AggregateError & { readonly code?: string }
  const inner = error.cause === undefined ? error.errors?.[0] : error.cause
  if (error.name === "TimeoutError") return "no answer"
  const own = error.message || error.code || String(cause)
  return inner === undefined ? own : own === "fetch failed" || error.message === "" ? reasonOf(inner) : own
}

const settle = ({ name, remedy, run }: Check): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.tryPromise({ try: run, catch: reasonOf }).pipe(
    Effect.catch((reason) => Effect.succeed(failed(reason, remedy))),
    Effect.timeoutOrElse({
      duration: checkMillis,
      orElse: () => Effect.succeed(failed(`no answer within ${checkMillis / 1_000} seconds`, remedy))
    }),
    Effect.map((findings) => findings.map((finding) => ({ check: name, ...finding })))
  )

/** Runs checks, a few at a time, and gives their findings in the order of the checks. */
export const runChecks = (checks: ReadonlyArray<Check>): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.map(Effect.forEach(checks, settle, { concurrency: 4 }), (found) => found.flat())
