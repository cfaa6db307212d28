/** How both programs start and end: a failure is one sentence, a requested stop is exit code 0. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import { excludeMemory } from "./CoreDumps.ts"
import { version } from "../metrics/Metrics.ts"
import * as Log from "./Log.ts"

/** The program ends with exit code 1, and has said why. */
export class Said extends Data.TaggedError("Said")<{}> {}

/** A defect keeps its stack; an expected failure is its own sentence. */
const report = (cause: Cause.Cause<unknown>) => {
  const failure = Cause.squash(cause)
  if (Cause.hasInterruptsOnly(cause) || CliError.isCliError(failure) || failure instanceof Said) return Effect.void
  return Cause.hasDies(cause) || !(failure instanceof Error)
    ? Effect.logFatal("stopped by a defect", cause)
    : Effect.logFatal(failure.message)
}

/** Runs a command line with Node's arguments. SIGTERM and SIGINT end it in order, with exit code 0. */
export const runProgram = <Name extends string, Input, ContextInput, E>(
  command: Command.Command<Name, Input, ContextInput, E, Command.Environment>
): void => {
  // Databases and backups are for their owner alone, whatever the shell's default.
  process.umask(0o077)
  excludeMemory()
  Command.run(command, { version }).pipe(
    Effect.tapCause(report),
    Effect.provide(Log.layer),
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain({
      disableErrorReporting: true,
      teardown: (exit, onExit) => {
        const stopped = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
        return stopped ? onExit(0) : Runtime.defaultTeardown(exit, onExit)
      }
    })
  )
}
