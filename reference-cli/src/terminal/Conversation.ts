/** A line to type in at the bottom of the terminal, with messages appearing above it. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as readline from "node:readline"

export interface Conversation {
  /** Lines as they are entered; ends at Ctrl-C, Ctrl-D. */
  readonly lines: Queue.Dequeue<string, Cause.Done>
  /** Prints above the line that is being typed. */
  readonly print: (text: string) => void
  /** Changes what stands before the typed text. */
  readonly prompt: (text: string) => void
}

/** Removes the typed line and what it wrapped into, leaving the cursor where it began. */
const erase = (terminal: readline.Interface): void => {
  const { rows } = terminal.getCursorPos()
  if (rows > 0) readline.moveCursor(process.stdout, 0, -rows)
  readline.cursorTo(process.stdout, 0)
  readline.clearScreenDown(process.stdout)
}

/** Opens the line until the scope closes. Both ends must be a terminal. */
export const open = (prompt: string): Effect.Effect<Conversation, never, Scope.Scope> =>
  Effect.gen(function* () {
    const lines = yield* Queue.unbounded<string, Cause.Done>()
    const terminal = yield* Effect.acquireRelease(
      Effect.sync(() =>
        readline.createInterface({
          input: process.stdin,
          output: process.stdout,
          prompt,
          historySize: 100,
          removeHistoryDuplicates: true
        })
      ),
      (opened) =>
        Effect.sync(() => {
          erase(opened)
          opened.close()
        })
    )
    let rowsAbove = 0
    // Where the cursor will be when Enter is pressed says how many rows the entered line covers.
    process.stdin.on("keypress", () => {
      rowsAbove = terminal.getCursorPos().rows
    })
    terminal.on("line", (line) => {
      // What was typed is shown again as a message, when it is one.
      readline.moveCursor(process.stdout, 0, -(rowsAbove + 1))
      readline.cursorTo(process.stdout, 0)
      readline.clearScreenDown(process.stdout)
      rowsAbove = 0
      Queue.offerUnsafe(lines, line)
      terminal.prompt()
    })
    terminal.on("SIGINT", () => void Queue.endUnsafe(lines))
    terminal.on("close", () => void Queue.endUnsafe(lines))
    terminal.prompt()
    return {
      lines,
      print: (text) => {
        erase(terminal)
        process.stdout.write(`${text}\n`)
        terminal.prompt(true)
      },
      prompt: (text) => {
        erase(terminal)
        terminal.setPrompt(text)
        terminal.prompt(true)
      }
    }
  })
