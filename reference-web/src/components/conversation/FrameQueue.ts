/** Least time between two batches, in milliseconds: each may repaint all messages in sight, and keys need time between. */
const pauseMillis = 100

/**
 * Hands items on after the next frame, and not before they are wanted. Hundreds may arrive at once: they come in batches,
 * because rendering each would leave no time to type. After the frame, so that what was typed before it is painted first.
 */
export class FrameQueue<A> {
  readonly #take: (item: A) => void
  readonly #isWanted: () => boolean
  #items: Array<A> = []
  #isAsked = false
  #takenAt = -pauseMillis

  constructor(take: (item: A) => void, isWanted: () => boolean) {
    this.#take = take
    this.#isWanted = isWanted
  }

  add(item: A): void {
    this.#items.push(item)
    if (this.#isAsked) return
    this.#isAsked = true
    const restMillis = this.#takenAt + pauseMillis - performance.now()
    if (restMillis > 0) setTimeout(this.#askFrame, restMillis)
    else this.#askFrame()
  }

  readonly #askFrame = (): void => {
    requestAnimationFrame(() => setTimeout(this.#frame))
  }

  readonly #frame = (): void => {
    this.#isAsked = false
    if (this.#isWanted()) this.takeAll()
  }

  takeAll(): void {
    this.#takenAt = performance.now()
    for (const item of this.#items.splice(0)) this.#take(item)
  }

  clear(): void {
    this.#items = []
  }
}
