import type { ReactiveController, ReactiveControllerHost } from "lit"

/** Tells whether somebody can be reading its host, and calls back when that begins. */
export class Reader implements ReactiveController {
  readonly #onBegin: () => void
  #isConnected = false

  constructor(host: ReactiveControllerHost, onBegin: () => void) {
    this.#onBegin = onBegin
    host.addController(this)
  }

  get isHere(): boolean {
    return this.#isConnected && document.visibilityState === "visible" && document.hasFocus()
  }

  hostConnected(): void {
    this.#isConnected = true
    addEventListener("focus", this.#check)
    document.addEventListener("visibilitychange", this.#check)
  }

  hostDisconnected(): void {
    this.#isConnected = false
    removeEventListener("focus", this.#check)
    document.removeEventListener("visibilitychange", this.#check)
  }

  readonly #check = (): void => {
    if (this.isHere) this.#onBegin()
  }
}
