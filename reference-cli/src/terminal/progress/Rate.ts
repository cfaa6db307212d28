/** The transfer rate over the last few seconds. */

/** Length of the window, in milliseconds. */
const windowMillis = 5_000
/** Shortest time that gives a rate, in milliseconds. */
const minimumMillis = 500

export class Rate {
  #samples: Array<{ readonly at: number; readonly bytes: number }> = []

  /** Records the total of `bytes` at the time `at`, in milliseconds of any monotonic clock. */
  note(bytes: number, at: number): void {
    const last = this.#samples.at(-1)
    // A falling total starts a new measurement.
    if (last !== undefined && bytes < last.bytes) this.#samples = []
    this.#samples.push({ at, bytes })
    this.#forget(at)
  }

  /** One sample older than the window is kept, so that the rate of a stalled transfer falls instead of vanishing. */
  #forget(now: number): void {
    while (this.#samples.length > 2 && this.#samples[1]!.at <= now - windowMillis) this.#samples.shift()
  }

  /** Bytes per second at `now`; undefined while too little is known. */
  at(now: number): number | undefined {
    this.#forget(now)
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined || now - first.at < minimumMillis) return undefined
    return ((last.bytes - first.bytes) * 1000) / (now - first.at)
  }
}
