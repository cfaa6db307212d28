/** Runs command lines in this process: the whole program but for its `main`, with nobody at a terminal. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { Readable } from "node:stream"
import { ExitCode } from "../../src/ExitCode.ts"
import { fail } from "../../src/Failure.ts"
import { Host } from "../../src/Host.ts"
import * as Program from "../../src/Program.ts"
import { make as makeSignals, Signals } from "../../src/Signals.ts"
import { Ask } from "../../src/terminal/input/Ask.ts"
import { Screen } from "../../src/terminal/output/Screen.ts"
import { screenDouble } from "./ScreenDouble.ts"

const refused = Effect.fail(fail("input_needed", "usage", "an answer is needed and there is no terminal"))

const nobody = Ask.of({
  possible: Effect.succeed(false),
  line: () => refused,
  lines: () => refused,
  hidden: () => refused,
  secretly: (_, use) => use,
  guarded: (use) => use,
  show: () => Effect.void
})

export interface Ended {
  /** Undefined where it still ran when its time was over, and was interrupted. */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface Options {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly folder: string
  readonly cwd: string
  /** When it is sent SIGINT, in milliseconds. */
  readonly withinMillis: number
  /** Sends it SIGINT before that. */
  readonly over?: AbortSignal | undefined
}

/** Gives this process a standard input that has ended, until what it gives is called. */
export const emptyInput = (): (() => void) => {
  const before = Object.getOwnPropertyDescriptor(process, "stdin")!
  Object.defineProperty(process, "stdin", { configurable: true, get: () => Readable.from([]) })
  return () => Object.defineProperty(process, "stdin", before)
}

export const run = async (args: ReadonlyArray<string>, options: Options): Promise<Ended> => {
  let stdout = ""
  let stderr = ""
  const toOut = (text: string) => Effect.sync(() => void (stdout += text))
  const signals = makeSignals()
  const services = Layer.mergeAll(
    Layer.succeed(
      Screen,
      screenDouble({ out: toOut, emit: toOut, err: (text) => Effect.sync(() => void (stderr += text)) })
    ),
    Layer.succeed(Ask, nobody),
    Layer.succeed(Signals, signals),
    Layer.succeed(
      Host,
      Host.of({
        env: options.env,
        platform: process.platform,
        cwd: options.cwd,
        homeDirectory: options.folder,
        temporary: options.folder
      })
    )
  )
  const fiber = Effect.runFork(Effect.provide(Program.run(args), services))
  let isOver = false
  const interrupt = () => {
    isOver = true
    if (!signals.deliver(ExitCode.interrupted)) fiber.interruptUnsafe()
  }
  const timer = setTimeout(interrupt, options.withinMillis)
  options.over?.addEventListener("abort", interrupt)
  const exit = await Effect.runPromise(Fiber.await(fiber))
  clearTimeout(timer)
  return { code: isOver || Exit.isFailure(exit) ? undefined : exit.value, stdout, stderr }
}
