/** Asks a person on the terminal, even if standard input is in use for a message. Never writes to standard output. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type CliFailure, fail } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { Host } from "../../Host.ts"
import * as Device from "./Device.ts"
import { idle, Keyboard, type Listener } from "./Keyboard.ts"
import * as Question from "./Question.ts"

export class Ask extends Context.Service<
  Ask,
  {
    /** Whether a person can be asked. */
    readonly possible: Effect.Effect<boolean>
    /** One line, echoed as it is typed. */
    line(question: string): Effect.Effect<string, CliFailure>
    /** Several lines, echoed as they are typed or pasted, until `judge` finds them complete. */
    lines(question: string, judge: Question.Judge): Effect.Effect<string, CliFailure>
    /** One line without echo. Input typed before the question is not an answer to it. */
    hidden(question: string): Effect.Effect<Redacted.Redacted<string>, CliFailure>
    /** Shows text while `use` runs that must not stay in the scrollback. */
    secretly<A, E, R>(text: string, use: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
    /** Keeps the keyboard while `use` runs: input between questions is neither echoed nor left to the shell. */
    guarded<A, E, R>(use: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
    /** Writes to the terminal between questions. */
    show(text: string): Effect.Effect<void>
  }
>()("@kez-chat/cli/Ask") {
  static readonly layer = Layer.effect(
    Ask,
    Effect.map(Host, ({ platform }) => make(platform))
  )
}

/** Input this soon after an answer belongs to the answer and not to the shell, in milliseconds. */
const tailMillis = 30
/** The same for long secret answers, because a paste may arrive in pieces. */
const guardedTailMillis = 300

const refused = fail(
  "input_needed",
  "usage",
  "an answer is needed and there is no terminal to ask on (see --help for the flags that replace the question)"
)

// The alternate screen, as pagers use it: its content leaves no trace in the scrollback.
const enterSecret = (text: string): string => `\u001b[?1049h\u001b[2J\u001b[H${text}`
const leaveSecret = "\u001b[2J\u001b[H\u001b[?1049l"

const make = (platform: NodeJS.Platform): Ask["Service"] => {
  /** The keyboard that is kept between questions. */
  let kept: Keyboard | undefined
  /** The text on the alternate screen. */
  let secret: string | undefined

  /** Leaves the alternate screen while the program is suspended. */
  const around = (listener: Listener, device: Device.Device): Listener => ({
    key: listener.key,
    suspend: () => {
      listener.suspend()
      if (secret !== undefined) device.output.write(leaveSecret)
    },
    resume: () => {
      if (secret !== undefined) device.output.write(enterSecret(secret))
      listener.resume()
    }
  })

  const openKeyboard = Effect.sync(() => {
    const device = Device.open(platform)
    return device === undefined ? undefined : new Keyboard(device, around(idle, device))
  })

  const closeKeyboard = (keyboard: Keyboard | undefined, tail: number) =>
    keyboard === undefined
      ? Effect.void
      : Effect.andThen(
          keyboard.drain(tail),
          Effect.sync(() => keyboard.close())
        )

  const withKeyboard = Effect.fnUntraced(function* <A>(use: (keyboard: Keyboard) => Effect.Effect<A>) {
    if ((yield* settings).noInput) return yield* refused
    if (kept !== undefined) return yield* use(kept)
    return yield* Effect.acquireUseRelease(
      openKeyboard,
      (keyboard): Effect.Effect<A, CliFailure> => (keyboard === undefined ? Effect.fail(refused) : use(keyboard)),
      (keyboard) => closeKeyboard(keyboard, tailMillis)
    )
  })

  const ask = (keyboard: Keyboard, question: Question.Question): Effect.Effect<string> =>
    Effect.callback((resume) => {
      const running = question(keyboard.device, (text) => {
        end()
        resume(Effect.succeed(text))
      })
      const { device } = keyboard
      const before = keyboard.listen(around(running, device))
      const onResize = () => {
        if (secret === undefined) return running.resize()
        device.output.write(`\u001b[2J\u001b[H${secret}`)
        running.resume()
      }
      device.output.on("resize", onResize)
      const end = () => {
        device.output.off("resize", onResize)
        running.end()
        keyboard.listen(before)
      }
      running.resume()
      return Effect.sync(end)
    })

  const show = (text: string) =>
    Effect.acquireUseRelease(
      Effect.sync(() => kept?.device ?? Device.open(platform)),
      (device) => Effect.sync(() => device?.output.write(text)),
      (device) => Effect.sync(() => (device === kept?.device ? undefined : device?.close()))
    )

  const possible = Effect.gen(function* () {
    if ((yield* settings).noInput) return false
    if (kept !== undefined) return true
    const device = yield* Effect.sync(() => Device.open(platform))
    device?.close()
    return device !== undefined
  })

  return {
    possible,
    line: (question) => withKeyboard((keyboard) => ask(keyboard, Question.line(question))),
    lines: (question, judge) => withKeyboard((keyboard) => ask(keyboard, Question.lines(question, judge))),
    hidden: (question) =>
      Effect.map(
        withKeyboard((keyboard) =>
          Effect.andThen(keyboard.drain(tailMillis), ask(keyboard, Question.hidden(question)))
        ),
        (answer) => Redacted.make(answer)
      ),
    secretly: (text, use) =>
      Effect.acquireUseRelease(
        Effect.suspend(() => {
          secret = text
          process.on("exit", onExit)
          return show(enterSecret(text))
        }),
        () => use,
        () =>
          Effect.suspend(() => {
            secret = undefined
            process.off("exit", onExit)
            return show(leaveSecret)
          })
      ),
    guarded: (use) =>
      Effect.flatMap(possible, (can) =>
        can && kept === undefined
          ? Effect.acquireUseRelease(
              Effect.tap(openKeyboard, (keyboard) => Effect.sync(() => (kept = keyboard))),
              () => use,
              (keyboard) =>
                Effect.andThen(
                  closeKeyboard(keyboard, guardedTailMillis),
                  Effect.sync(() => (kept = undefined))
                )
            )
          : use
      ),
    show
  }
}

/** The program may end while a secret is shown: at a second Ctrl-C, or by a defect. */
const onExit = (): void => {
  if (process.stderr.isTTY) process.stderr.write(leaveSecret)
}
