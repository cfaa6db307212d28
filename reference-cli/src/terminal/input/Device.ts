/** The person's terminal, where questions are asked and `chat` draws. */
import * as fs from "node:fs"
import * as tty from "node:tty"

export interface Device {
  readonly input: tty.ReadStream
  readonly output: tty.WriteStream
  readonly close: () => void
}

/** Standard input and error if both are a terminal, else the controlling terminal of this session, if there is one. */
export const open = (platform: NodeJS.Platform): Device | undefined => {
  if (process.stdin.isTTY && process.stderr.isTTY) {
    return { input: process.stdin, output: process.stderr, close: () => process.stdin.pause() }
  }
  if (platform === "win32") return undefined
  try {
    const input = new tty.ReadStream(fs.openSync("/dev/tty", "r"))
    const output = new tty.WriteStream(fs.openSync("/dev/tty", "w"))
    return {
      input,
      output,
      close: () => {
        input.destroy()
        output.destroy()
      }
    }
  } catch {
    return undefined
  }
}

/** Standard input and output, which both must be a terminal. */
export const standard = (): Device => ({
  input: process.stdin,
  output: process.stdout,
  close: () => process.stdin.pause()
})

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** Current columns and rows; 80 by 24 if the terminal does not know. */
export const size = ({ output }: Pick<Device, "output">): Size => {
  // Read each time, because the size may change without a signal while the program is suspended.
  let known: readonly [number, number] = [0, 0]
  try {
    known = output.getWindowSize()
  } catch {
    // The terminal is gone.
  }
  return { columns: known[0] || 80, rows: known[1] || 24 }
}
