/** The keyboard of a terminal: raw mode without echo, bracketed paste, and Ctrl-Z as a shell expects it. */
import * as Effect from "effect/Effect"
import type { Device } from "./Device.ts"
import * as Keys from "./Keys.ts"

export interface Listener {
  readonly key: (key: Keys.Key) => void
  /** Erases what is drawn, before the program is suspended. */
  readonly suspend: () => void
  /** Draws again. */
  readonly resume: () => void
}

const pasteOn = "\u001b[?2004h"
const pasteOff = "\u001b[?2004l"
/** A suspension that has not begun after this time will not begin, in milliseconds: no shell waits for this process. */
const stopMillis = 50

/** A terminal that is gone fails every call; there is nothing left to restore. */
const quietly = (run: () => void): void => {
  try {
    run()
  } catch {
    // Gone.
  }
}

/** Ends this program as Ctrl-C does on a terminal in cooked mode. */
export const interrupt = (): void => void process.kill(process.pid, "SIGINT")

/** Takes no key but Ctrl-C, and draws nothing. */
export const idle: Listener = {
  key: (key) => key._tag === "Press" && key.press === "interrupt" && interrupt(),
  suspend: () => {},
  resume: () => {}
}

export class Keyboard {
  readonly device: Device
  #listener: Listener
  #isOpen = true
  #isSuspended = false
  #lastInput = 0
  readonly #bracketed: boolean
  readonly #feed: (chunk: Buffer) => void
  readonly #onGone = () => this.#listener.key({ _tag: "Press", press: "close" })
  readonly #onExit = () => this.#leave()
  readonly #onStop = () => this.#suspend(() => process.kill(process.pid, "SIGSTOP"))
  readonly #onContinue = () => this.#resume()

  constructor(device: Device, listener: Listener) {
    this.device = device
    this.#listener = listener
    this.#bracketed = process.env["TERM"] !== "dumb"
    const decode = Keys.decoder((key) => this.#onKey(key))
    this.#feed = (chunk) => {
      this.#lastInput = performance.now()
      decode(chunk)
    }
    this.#enter()
    const { input } = device
    input.on("data", this.#feed)
    input.on("end", this.#onGone)
    input.on("error", this.#onGone)
    input.resume()
    process.on("exit", this.#onExit)
    if (process.platform !== "win32") {
      process.on("SIGTSTP", this.#onStop)
      process.on("SIGCONT", this.#onContinue)
    }
  }

  /** Sends keys to another listener from now on; answers the previous one. */
  listen(listener: Listener): Listener {
    const before = this.#listener
    this.#listener = listener
    return before
  }

  /** Drops input until there has been none for `quietMillis`. */
  drain(quietMillis: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const listener = this.listen(idle)
      const began = performance.now()
      const wait: Effect.Effect<void> = Effect.suspend(() => {
        const left = Math.max(began, this.#lastInput) + quietMillis - performance.now()
        return left <= 0 ? Effect.void : Effect.andThen(Effect.sleep(left), wait)
      })
      return Effect.ensuring(
        wait,
        Effect.sync(() => this.listen(listener))
      )
    })
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { input } = this.device
    input.off("data", this.#feed)
    input.off("end", this.#onGone)
    input.off("error", this.#onGone)
    // Errors of a terminal that is gone later are ignored.
    if (input.listenerCount("error") === 0) input.on("error", () => {})
    process.off("exit", this.#onExit)
    process.off("SIGTSTP", this.#onStop)
    process.off("SIGCONT", this.#onContinue)
    if (!this.#isSuspended) this.#leave()
    quietly(this.device.close)
  }

  #onKey(key: Keys.Key): void {
    if (!this.#isOpen) return
    if (key._tag === "Press" && key.press === "suspend") {
      // The whole job stops, wrappers such as npx included, as if the terminal had sent the signal.
      if (process.platform !== "win32") this.#suspend(() => process.kill(0, "SIGTSTP"))
    } else if (key._tag === "Press" && key.press === "quit") {
      this.#leave()
      process.kill(process.pid, "SIGQUIT")
    } else this.#listener.key(key)
  }

  #enter(): void {
    quietly(() => this.device.input.setRawMode(true))
    if (this.#bracketed) quietly(() => this.device.output.write(pasteOn))
  }

  #leave(): void {
    if (this.#bracketed) quietly(() => this.device.output.write(pasteOff))
    quietly(() => this.device.input.setRawMode(false))
  }

  #suspend(stop: () => void): void {
    if (this.#isSuspended) return
    this.#isSuspended = true
    this.#listener.suspend()
    this.#leave()
    process.off("SIGTSTP", this.#onStop)
    stop()
    // The process stops here. If no shell could continue it, the kernel does not stop it and sends no SIGCONT.
    setTimeout(() => this.#isSuspended && this.#resume(), stopMillis)
  }

  /** Also after a SIGSTOP, which cannot be handled. */
  #resume(): void {
    if (!this.#isOpen) return
    if (this.#isSuspended) process.on("SIGTSTP", this.#onStop)
    this.#isSuspended = false
    // Off and on, because a shell may have changed the mode that Node remembers.
    quietly(() => this.device.input.setRawMode(false))
    this.#enter()
    this.#listener.resume()
  }
}
