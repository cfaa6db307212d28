/** Proves that an identity elsewhere belongs to this account, step by step. */
import type { Proving } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { settings } from "../../Flags.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import { Json, note, result, Sanitise, Screen, Show, type Style } from "../../terminal/output/index.ts"
import { withAccess } from "../WithAccess.ts"

export interface Input {
  readonly subject: string
  readonly wait: boolean
}

const instructions = (
  { publication: { steps, text, where }, subject }: Proving,
  style: Style
): ReadonlyArray<string> => [
  `To prove that ${style.bold(Sanitise.line(subject))} is yours:`,
  ...steps.map((step, index) => `  ${index + 1}. ${Sanitise.line(step)}`),
  "",
  Sanitise.text(text.trimEnd()),
  "",
  style.dim(`It is looked for at: ${Sanitise.line(where)}`)
]

const found = ({ subject }: Proving, style: Style): string =>
  `${style.good("Proven")}: ${Sanitise.line(subject)} is yours, and your contacts can check it`

const missing = ({ nextCheckAt, sentence }: Proving, wait: boolean, style: Style): string => {
  const why = style.caution(Sanitise.line(sentence ?? "it is not there yet"))
  return wait && nextCheckAt !== undefined ? `${why}; looking again at ${Show.clock(nextCheckAt)}` : why
}

export const prove = ({ subject, wait }: Input) =>
  withAccess(
    // Others can use the account while this waits.
    { command: "prove", offline: false, ...(wait ? { answering: true as const } : {}) },
    Effect.fnUntraced(function* ({ chat, paths }) {
      const screen = yield* Screen
      const { json } = yield* settings
      const { style } = screen
      let last: Proving | undefined
      const show = Effect.fnUntraced(function* (proving: Proving) {
        const isFirst = last === undefined
        last = proving
        if (json) {
          if (wait) yield* screen.emit(`${Sanitise.json({ proving: Json.proving(proving) })}\n`)
          return
        }
        if (proving.step === "recorded") return yield* screen.emit(`${found(proving, style)}\n`)
        if (proving.step === "visible") {
          // On its way to the sigchain; a first item of this step is one that an earlier call has found.
          return yield* note(
            isFirst ? "It was found before; adding it to your sigchain" : "Found; adding it to your sigchain"
          )
        }
        if (isFirst) return yield* screen.emit(`${instructions(proving, style).join("\n")}\n`)
        yield* note((style) => missing(proving, wait, style))
      })
      const isOver = (proving: Proving, index: number) => !wait && proving.step === "publish" && index > 0
      yield* chat.prove(subject).pipe(
        Stream.zipWithIndex,
        Stream.takeUntil(([proving, index]) => isOver(proving, index)),
        Stream.runForEach(([proving]) => show(proving))
      )
      if (last === undefined) return
      const proving: Proving = last
      if (json && !wait) return yield* result({ json: () => ({ proving: Json.proving(proving) }), text: () => [] })
      if (proving.step !== "recorded" && !json) {
        const line = CommandLine.line(paths.name, `prove ${CommandLine.argument(subject)} --wait`)
        yield* note((style) => `Once it is published:\n    ${style.bold(line)}`)
      }
    })
  )
