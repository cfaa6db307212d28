import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import { ExitCode } from "../ExitCode.ts"
import { fail, type Failure } from "../Failure.ts"
import type { Services } from "../owner/Session.ts"
import * as Sanitise from "../terminal/Sanitise.ts"
import { note, Screen } from "../terminal/Screen.ts"
import { withAccess } from "./withAccess.ts"

export interface Input {
  readonly output: Option.Option<string>
  readonly offline: boolean
}

const cannotWrite = (file: string, error: unknown): Failure =>
  fail("file", ExitCode.failed, `cannot write ${file}: ${(error as Error).message}`)

const io = <A>(file: string, run: () => A): Effect.Effect<A, Failure> =>
  Effect.try({
    try: run,
    catch: (error) => cannotWrite(file, error)
  })

/** Makes the file, and never writes over one. */
const create = (file: string): Effect.Effect<number, Failure> =>
  Effect.try({
    try: () => fs.openSync(file, "wx", 0o600),
    catch: (error) =>
      (error as NodeJS.ErrnoException).code === "EEXIST"
        ? fail("file", ExitCode.failed, `${file} exists already: name a new file, nothing is written over`)
        : cannotWrite(file, error)
  })

/** Everything but the seed, as JSON lines: to standard output, or to a new file of mode 0600. */
export const exportAll = (input: Input): Effect.Effect<void, Failure, Services> =>
  withAccess({ command: "export", offline: input.offline }, ({ chat }) =>
    Effect.gen(function* () {
      const screen = yield* Screen
      if (!input.offline) yield* Effect.ignore(Effect.timeout(chat.sync, "10 seconds"))
      let items = 0
      if (Option.isNone(input.output)) {
        yield* Stream.runForEach(chat.export, (item) => screen.out(`${Sanitise.json(item)}\n`))
        return
      }
      const file = input.output.value
      const descriptor = yield* Effect.acquireRelease(create(file), (opened) => Effect.sync(() => fs.closeSync(opened)))
      yield* Stream.runForEach(chat.export, (item) =>
        io(file, () => {
          items += 1
          fs.writeSync(descriptor, `${Sanitise.json(item)}\n`)
        })
      )
      yield* io(file, () => fs.fsyncSync(descriptor))
      yield* note(`${items} items in ${file}. Your messages are in it as plain text; the words are not.`)
    })
  )
