import type { ReactiveController, ReactiveControllerHost } from "lit"

interface Binding<A> {
  /** Opens the stream; undefined while there is nothing to listen to. */
  open(signal: AbortSignal): AsyncIterable<A> | undefined
  onItem(item: A): void
  onError?(error: unknown): void
}

/**
 * Runs an async iterable while its host is connected, and hands on each item; the host updates itself where one matters.
 * `open` is called anew on each connection; disconnecting ends the loop, and with it the stream in the worker.
 */
export class StreamController<A> implements ReactiveController {
  readonly #stream: Binding<A>
  #abort: AbortController | undefined

  constructor(host: ReactiveControllerHost, stream: Binding<A>) {
    this.#stream = stream
    host.addController(this)
  }

  hostConnected(): void {
    this.restart()
  }

  hostDisconnected(): void {
    this.#abort?.abort()
    this.#abort = undefined
  }

  /** Ends the running loop and begins a new one, as when a property that `open` reads has changed. */
  restart(): void {
    this.#abort?.abort()
    this.#abort = new AbortController()
    void this.#run(this.#abort.signal)
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      const items = this.#stream.open(signal)
      if (items === undefined) return
      for await (const item of items) {
        if (signal.aborted) return
        this.#stream.onItem(item)
      }
    } catch (error) {
      if (!signal.aborted) this.#stream.onError?.(error)
    }
  }
}
