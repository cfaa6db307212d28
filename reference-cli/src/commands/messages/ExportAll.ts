import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as NewFile from "../../NewFile.ts"
import { note, Sanitise, Screen } from "../../terminal/output/index.ts"
import { withAccess } from "../WithAccess.ts"

export interface Input {
  readonly output: Option.Option<string>
  readonly offline: boolean
}

/** Everything but the seed, as JSON lines: to standard output, or to a new file of mode 0600 that is whole or not there. */
export const exportAll = (input: Input) =>
  withAccess(
    { command: "export", offline: input.offline },
    Effect.fnUntraced(function* ({ chat }) {
      const screen = yield* Screen
      // Checked first: a file that cannot be written is reported before any work.
      const file = Option.isNone(input.output) ? undefined : yield* NewFile.open(input.output.value)
      if (!input.offline) yield* Effect.ignore(Effect.timeout(chat.sync, "10 seconds"))
      if (file === undefined) {
        return yield* Stream.runForEach(chat.export, (item) => screen.emit(`${Sanitise.json(item)}\n`))
      }
      let items = 0
      yield* Stream.runForEach(chat.export, (item) => {
        items += 1
        return file.write(`${Sanitise.json(item)}\n`)
      })
      yield* file.publish
      yield* note(
        `${items} items in ${Option.getOrElse(input.output, () => "")}. Your messages are in it as plain text; the words are not.`
      )
    })
  )
