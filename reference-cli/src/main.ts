/** Runs one command line: exit code, error and signals are decided here and nowhere else. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { cli } from "./Cli.ts"
import { ExitCode } from "./ExitCode.ts"
import { type Description, describe, type Failure } from "./Failure.ts"
import { Host } from "./Host.ts"
import * as CoreDumps from "./owner/CoreDumps.ts"
import * as Shapes from "./Shapes.ts"
import { beganOnTerminal, make as makeSignals, Signals } from "./Signals.ts"
import { Ask } from "./terminal/Ask.ts"
import * as Help from "./terminal/Help.ts"
import * as Sanitise from "./terminal/Sanitise.ts"
import { Screen } from "./terminal/Screen.ts"
import * as Style from "./terminal/Style.ts"
import { version } from "./Version.ts"

CoreDumps.excludeMemory()

const args = process.argv.slice(2)
const signals = makeSignals()

// Errors may be told before flags are parsed, so this one is looked for by hand. After `--` nothing is a flag.
const wantsJson = args.slice(0, args.includes("--") ? args.indexOf("--") : undefined).includes("--json")

const tell = ({ code, exit, message }: Description) =>
  Effect.flatMap(Screen, ({ err, errStyle }) =>
    err(
      wantsJson
        ? `${Sanitise.json(Shapes.error({ code, exit, message }))}\n`
        : `${errStyle.bad("kez-chat:")} ${Sanitise.line(message)}\n`
    )
  ).pipe(Effect.as(exit))

/** A command line that was not understood. */
const usageOf = ({ commandPath, errors }: CliError.ShowHelp): Description => {
  const told = errors.map(({ message }) => message.replace(/\s+/g, " ").trim()).join("; ")
  const dashes = errors.some(({ _tag }) => _tag === "UnrecognizedOption")
    ? "; a name, id or text that begins with a dash comes after --"
    : ""
  return {
    code: "usage",
    exit: ExitCode.usage,
    message: `${told}${dashes} (see ${commandPath.join(" ")} --help)`
  }
}

const explain = (error: Failure | CliError.CliError) => {
  if (!CliError.isCliError(error)) return tell(describe(error))
  if (error._tag !== "ShowHelp") return tell({ code: "usage", exit: ExitCode.usage, message: error.message })
  // Help that was asked for by giving no command has been shown.
  return error.errors.length === 0 ? Effect.succeed(ExitCode.ok) : tell(usageOf(error))
}

/** The words of a defect for a bug report: its name and place, never its data. */
const defectOf = (cause: Cause.Cause<unknown>): Description => {
  const error = Cause.squash(cause)
  const what = error instanceof Error ? `${error.name}: ${error.message}` : "unknown defect"
  return {
    code: "internal",
    exit: ExitCode.failed,
    message: `something is wrong in this program (${what}); please report it`
  }
}

const program = Command.runWith(cli, { version })(args).pipe(
  Effect.as(ExitCode.ok as number),
  Effect.catch(explain),
  Effect.catchCauseIf(
    (cause) => !Cause.hasInterruptsOnly(cause),
    (cause) => tell(defectOf(cause))
  ),
  Effect.provideService(
    CliOutput.Presenter,
    CliOutput.Presenter.of({
      present: (event) =>
        event._tag === "InvalidInvocation"
          ? Effect.void
          : event._tag === "Version"
            ? Effect.sync(() => void process.stdout.write(`${event.name} ${event.version}\n`))
            : CliOutput.defaultPresenter.present(event)
    })
  ),
  Effect.provide(
    Layer.mergeAll(
      NodeServices.layer,
      CliOutput.layer(
        Help.formatter(
          process.stdout.isTTY ? process.stdout.columns : undefined,
          Style.wantsColour(process.env, process.stdout.isTTY === true)
        )
      ),
      Screen.layer,
      Ask.layer,
      Layer.succeed(Signals, signals),
      CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
    ).pipe(Layer.provideMerge(Host.layer))
  )
)

const fiber = Effect.runFork(program)
// A fiber that waits for a person or a server keeps no event alive by itself.
const alive = setInterval(() => {}, 2_147_483_647)

let signalled: number | undefined
const end = (code: ExitCode) => {
  if (signalled !== undefined) return
  signalled = code
  if (!signals.deliver(code)) fiber.interruptUnsafe()
}
const onSignal = (code: ExitCode) => () => {
  // The second one means now.
  if (signalled !== undefined) process.exit(code)
  end(code)
}
process.on("SIGINT", onSignal(ExitCode.interrupted))
process.on("SIGTERM", onSignal(ExitCode.terminated))
// A closing terminal is announced by the shell and by the kernel, and makes every write fail besides.
process.on("SIGHUP", () => (beganOnTerminal ? end(ExitCode.hungUp) : undefined))
// The reader of a pipe has gone (`| head`): there is nobody left to tell anything.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", () => end(stream.isTTY ? ExitCode.hungUp : ExitCode.ok))
}

fiber.addObserver((exit) => {
  clearInterval(alive)
  process.exit(exit._tag === "Success" ? exit.value : (signalled ?? ExitCode.failed))
})
