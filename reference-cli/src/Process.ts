/** The process around one command line: signals and the exit code. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ExitCode } from "./ExitCode.ts"
import { Host } from "./Host.ts"
import * as CoreDumps from "./owner/CoreDumps.ts"
import * as Program from "./Program.ts"
import { beganOnTerminal, make as makeSignals, Signals } from "./Signals.ts"
import { Ask } from "./terminal/input/Ask.ts"
import { Screen } from "./terminal/output/Screen.ts"

CoreDumps.excludeMemory()

const signals = makeSignals()

const services = Layer.mergeAll(Screen.layer, Ask.layer, Layer.succeed(Signals, signals)).pipe(
  Layer.provideMerge(Host.layer)
)
const fiber = Effect.runFork(Effect.provide(Program.run(process.argv.slice(2)), services))
// A fiber that waits for input or a server does not keep the event loop alive.
const alive = setInterval(() => {}, 2_147_483_647)

let signalled: number | undefined
const end = (code: ExitCode) => {
  if (signalled !== undefined) return
  signalled = code
  if (!signals.deliver(code)) fiber.interruptUnsafe()
}
const onSignal = (code: ExitCode) => () => {
  // A second signal ends the program at once.
  if (signalled !== undefined) process.exit(code)
  end(code)
}
process.on("SIGINT", onSignal(ExitCode.interrupted))
process.on("SIGTERM", onSignal(ExitCode.terminated))
// When a terminal closes, the shell and the kernel each send SIGHUP, and every write fails.
process.on("SIGHUP", () => (beganOnTerminal ? end(ExitCode.hungUp) : undefined))
for (const stream of [process.stdout, process.stderr]) {
  if (stream.isTTY) stream.on("error", () => end(ExitCode.hungUp))
}

fiber.addObserver((exit) => {
  clearInterval(alive)
  process.exit(exit._tag === "Success" ? exit.value : (signalled ?? ExitCode.failed))
})
