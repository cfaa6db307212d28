import type { LitElement, ReactiveController } from "lit"

/** Catches a file that is dropped on its host, which else would open in place of the page. */
export class FileDrop implements ReactiveController {
  readonly #host: LitElement
  readonly #onFile: (file: File) => void

  constructor(host: LitElement, onFile: (file: File) => void) {
    this.#host = host
    this.#onFile = onFile
    host.addController(this)
  }

  hostConnected(): void {
    this.#host.addEventListener("dragover", this.#dragged)
    this.#host.addEventListener("drop", this.#dropped)
  }

  hostDisconnected(): void {
    this.#host.removeEventListener("dragover", this.#dragged)
    this.#host.removeEventListener("drop", this.#dropped)
  }

  readonly #dragged = (event: DragEvent): void => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault()
  }

  readonly #dropped = (event: DragEvent): void => {
    const file = event.dataTransfer?.files[0]
    if (file === undefined) return
    event.preventDefault()
    this.#onFile(file)
  }
}
