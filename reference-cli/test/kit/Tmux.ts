/** A person at a shell in a real terminal emulator: types, pastes, resizes, and sees the screen. */
import { execFileSync } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"

export interface TmuxOptions {
  /** Path of the server's socket. */
  readonly socket: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly columns: number
  readonly rows: number
}

const withinMillis = 40_000
const pollMillis = 50

export class Tmux {
  readonly #options: TmuxOptions

  constructor(options: TmuxOptions) {
    this.#options = options
    const { columns, rows } = options
    const shell = ["env", "PS1=$ ", "bash", "--norc", "--noprofile", "-i"]
    this.#run(["-f", "/dev/null", "new-session", "-d", "-x", String(columns), "-y", String(rows), ...shell])
  }

  #run(args: ReadonlyArray<string>, input?: string): string {
    const { socket, cwd, env } = this.#options
    return execFileSync("tmux", ["-S", socket, ...args], {
      cwd,
      encoding: "utf8",
      env: { ...env, TERM: "xterm-256color", LANG: "C.UTF-8", HISTFILE: "/dev/null" } as NodeJS.ProcessEnv,
      stdio: ["pipe", "pipe", "ignore"],
      ...(input === undefined ? {} : { input })
    })
  }

  type(text: string): void {
    this.#run(["send-keys", "-l", "--", text])
  }

  /** Presses keys by tmux's names: `Enter`, `C-c`, `Home`. */
  press(...keys: ReadonlyArray<string>): void {
    this.#run(["send-keys", ...keys])
  }

  /** Types a line and presses Enter. */
  enter(line: string): void {
    this.type(line)
    this.press("Enter")
  }

  /** Pastes as a terminal does, between marks where the program has asked for them. */
  paste(text: string): void {
    this.#run(["load-buffer", "-"], text)
    this.#run(["paste-buffer", "-p"])
  }

  resize(columns: number, rows: number): void {
    this.#run(["resize-window", "-x", String(columns), "-y", String(rows)])
  }

  /** The screen as it is seen, without empty rows below. */
  screen(): string {
    return this.#run(["capture-pane", "-p"]).trimEnd()
  }

  /** What has been on the screen, scrolled rows too. */
  scrollback(): string {
    return this.#run(["capture-pane", "-p", "-S", "-"]).trimEnd()
  }

  cursor(): { readonly column: number; readonly row: number } {
    const [column, row] = this.#run(["display-message", "-p", "#{cursor_x} #{cursor_y}"]).trim().split(" ").map(Number)
    return { column: column ?? -1, row: row ?? -1 }
  }

  /** Waits until the screen matches; gives it. */
  async see(pattern: RegExp): Promise<string> {
    const until = performance.now() + withinMillis
    for (;;) {
      const screen = this.screen()
      if (pattern.test(screen)) return screen
      if (performance.now() > until) throw new Error(`no ${String(pattern)} on the screen:\n${screen}`)
      await sleep(pollMillis)
    }
  }

  /** Closes the terminal, as a person closes its window. */
  close(): void {
    try {
      this.#run(["kill-server"])
    } catch {
      // Closed already.
    }
  }
}
