/** Runs one command line, from its arguments to its exit code. All output and input goes through `Screen` and `Ask`. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Arguments from "./Arguments.ts"
import { cli } from "./Cli.ts"
import { ExitCode } from "./ExitCode.ts"
import { type Description, describe, type Failure } from "./Failure.ts"
import * as Json from "./terminal/output/Json.ts"
import * as Help from "./terminal/output/Help.ts"
import * as Sanitise from "./terminal/output/Sanitise.ts"
import { outputClosed, Screen } from "./terminal/output/Screen.ts"
import { coloured } from "./terminal/output/Style.ts"
import { version } from "./Version.ts"

const seeHelp = (path: ReadonlyArray<string>): string => `(see ${["kez-chat", ...path].join(" ")} --help)`

/** The description of a command line that was not understood. */
const usageOf = ({ commandPath, errors }: CliError.ShowHelp): Description => {
  const problems = errors.map(({ message }) => message.replace(/\s+/g, " ").trim()).join("; ")
  const dashes = errors.some(({ _tag }) => _tag === "UnrecognizedOption")
    ? "; a name, id or text that begins with a dash comes after --"
    : ""
  const message = `${errors.length === 0 ? "say which command" : problems}${dashes} ${seeHelp(commandPath.slice(1))}`
  return { code: "usage", exit: ExitCode.usage, message }
}

const describeAny = (error: Failure | CliError.CliError): Description => {
  if (!CliError.isCliError(error)) return describe(error)
  return error._tag === "ShowHelp" ? usageOf(error) : { code: "usage", exit: ExitCode.usage, message: error.message }
}

/** A defect in words for a bug report: its name and message, never its data. */
const defectOf = (cause: Cause.Cause<unknown>): Description => {
  const error = Cause.squash(cause)
  const what = error instanceof Error ? `${error.name}: ${error.message}` : "unknown defect"
  return {
    code: "internal",
    exit: ExitCode.failed,
    message: `something is wrong in this program (${what}); please report it`
  }
}

/** Runs a command line and answers its exit code. Every error has been reported by then. */
export const run = Effect.fn("Program.run")(function* (args: ReadonlyArray<string>) {
  const screen = yield* Screen
  // Errors may occur before flags are parsed, so this flag is searched for by hand.
  const json = Arguments.beforeEnd(args).includes("--json")
  const show = ({ code, exit, message }: Description) =>
    Effect.as(
      screen.err(
        json
          ? `${Sanitise.json(Json.error({ code, exit, message }))}\n`
          : `${screen.errStyle.bad("kez-chat:")} ${Sanitise.line(message)}\n`
      ),
      exit as number
    )

  const formatter = Help.formatter(screen.outIsTerminal ? yield* screen.columns : undefined, screen.style === coloured)
  // Help, version and completions are written last, like every result, so that a failed write is a failure.
  const pages: Array<string> = []
  const presenter = CliOutput.Presenter.of({
    present: (event) =>
      Effect.sync(() => {
        if (event._tag === "Help") pages.push(formatter.formatHelpDoc(event.helpDoc))
        if (event._tag === "Version") pages.push(`${event.name} ${event.version}`)
      })
  })
  const console: Console.Console = { ...globalThis.console, log: (text: string) => void pages.push(text) }

  const command = Effect.gen(function* () {
    const normal = Arguments.normalise(cli, args)
    if (Result.isFailure(normal)) {
      const { message, path } = normal.failure
      return yield* show({ code: "usage", exit: ExitCode.usage, message: `${message} ${seeHelp(path)}` })
    }
    yield* Command.runWith(cli, { version })(normal.success).pipe(
      // Without arguments, help is the expected result.
      Effect.catchIf(
        (error) => CliError.isCliError(error) && error._tag === "ShowHelp" && args.length === 0,
        () => Effect.void
      )
    )
    for (const page of pages) yield* screen.out(`${page}\n`)
    return ExitCode.ok as number
  })
  return yield* command.pipe(
    Effect.catch((error) => (error === outputClosed ? Effect.succeed(outputClosed.exit) : show(describeAny(error)))),
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterruptsOnly(cause),
      (cause) => show(defectOf(cause))
    ),
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.provideService(Console.Console, console),
    Effect.provide(CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }))
  )
}, Effect.provide(NodeServices.layer))
