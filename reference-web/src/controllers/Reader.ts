import type { ReactiveController, ReactiveControllerHost } from "lit"

/** Tells whether somebody can be reading the page, and calls back when that begins. */
export class Reader implements ReactiveController {
  readonly #onBegin: () => void

  constructor(host: ReactiveControllerHost, onBegin: () => void) {
    this.#onBegin = onBegin
    host.addController(this)
  }

  get isHere(): boolean {
    return document.visibilityState === "visible" && document.hasFocus()
  }

  hostConnected(): void {
    addEventListener("focus", this.#check)
    document.addEventListener("visibilitychange", this.#check)
  }

  hostDisconnected(): void {
    removeEventListener("focus", this.#check)
    document.removeEventListener("visibilitychange", this.#check)
  }

  readonly #check = (): void => {
    if (this.isHere) this.#onBegin()
  }
}
