/**
 * Hands items on once a frame, and not before they are wanted: hundreds may arrive within a frame, and rendering each
 * would leave no time to type.
 */
export class FrameQueue<A> {
  readonly #take: (item: A) => void
  readonly #isWanted: () => boolean
  #items: Array<A> = []
  #isFrameAsked = false

  constructor(take: (item: A) => void, isWanted: () => boolean) {
    this.#take = take
    this.#isWanted = isWanted
  }

  add(item: A): void {
    this.#items.push(item)
    if (this.#isFrameAsked) return
    this.#isFrameAsked = true
    requestAnimationFrame(() => {
      this.#isFrameAsked = false
      if (this.#isWanted()) this.takeAll()
    })
  }

  takeAll(): void {
    for (const item of this.#items.splice(0)) this.#take(item)
  }

  clear(): void {
    this.#items = []
  }
}
