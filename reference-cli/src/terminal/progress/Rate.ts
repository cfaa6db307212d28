/** How fast bytes come, over the last few seconds. */

/** How far back is looked, in milliseconds. */
const windowMillis = 5_000
/** No rate is told before this much time has passed. */
const minimumMillis = 500

export class Rate {
  #samples: Array<{ readonly at: number; readonly bytes: number }> = []

  /** Notes that `bytes` were there in all at `at`, milliseconds on any clock that only rises. */
  note(bytes: number, at: number): void {
    const last = this.#samples.at(-1)
    // What was here before begins a new count, and so does a count that fell.
    if (last !== undefined && bytes < last.bytes) this.#samples = []
    this.#samples.push({ at, bytes })
    this.#forget(at)
  }

  /** One sample older than the window stays, so that the rate of a stalled transfer falls instead of vanishing. */
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
