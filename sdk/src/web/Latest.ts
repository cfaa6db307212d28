/** A value that changes, for listeners who want the newest one and may skip those between. */
export class Latest<A> {
  #value: A
  #wake: Array<() => void> = []

  constructor(value: A) {
    this.#value = value
  }

  get value(): A {
    return this.#value
  }

  set value(value: A) {
    this.#value = value
    for (const wake of this.#wake.splice(0)) wake()
  }

  /** Beginning with the current value, until the signal is aborted or the loop is left. */
  async *values(signal?: AbortSignal): AsyncGenerator<A> {
    let shown: A | undefined
    for (;;) {
      if (signal?.aborted === true) return
      if (shown !== this.#value) yield (shown = this.#value)
      else {
        await new Promise<void>((resolve) => {
          this.#wake.push(resolve)
          signal?.addEventListener("abort", () => resolve(), { once: true })
        })
      }
    }
  }
}
