import type { Event as ChatEvent, KezChatClient } from "@kez-chat/sdk/promise"
import type { ReactiveController, ReactiveControllerHost } from "lit"

type Listener = (event: ChatEvent) => void

/** The events of a client, which cross to the page once for all who listen. */
class Feed {
  readonly #client: KezChatClient
  readonly #listeners = new Set<Listener>()
  #running: AbortController | undefined

  constructor(client: KezChatClient) {
    this.#client = client
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    // Also after a loop that ended, as when the account was locked meanwhile.
    if (this.#running === undefined) void this.#run((this.#running = new AbortController()))
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#running?.abort()
      this.#running = undefined
    }
  }

  async #run(running: AbortController): Promise<void> {
    const { signal } = running
    try {
      for await (const event of this.#client.events({ signal })) {
        if (signal.aborted) return
        for (const listener of [...this.#listeners]) listener(event)
      }
    } catch {
      // The client was closed or locked; the shell shows that.
    }
    if (this.#running === running) this.#running = undefined
  }
}

const feeds = new WeakMap<KezChatClient, Feed>()

/** Calls the listener with every event from now on, until the returned function is called. */
export const listen = (client: KezChatClient, listener: Listener): (() => void) => {
  const known = feeds.get(client) ?? new Feed(client)
  feeds.set(client, known)
  return known.listen(listener)
}

/** Gives its host the events of a client while it is connected. The host updates itself where one matters to it. */
export class ChatEvents implements ReactiveController {
  readonly #client: () => KezChatClient | undefined
  readonly #listener: Listener
  #of: KezChatClient | undefined
  #leave: (() => void) | undefined
  /** A host may update itself once more after it was removed. */
  #isConnected = false

  constructor(host: ReactiveControllerHost, client: () => KezChatClient | undefined, listener: Listener) {
    this.#client = client
    this.#listener = listener
    host.addController(this)
  }

  hostConnected(): void {
    this.#isConnected = true
    this.hostUpdate()
  }

  hostUpdate(): void {
    const client = this.#client()
    if (!this.#isConnected || client === this.#of) return
    this.#leave?.()
    this.#of = client
    this.#leave = client === undefined ? undefined : listen(client, this.#listener)
  }

  hostDisconnected(): void {
    this.#isConnected = false
    this.#leave?.()
    this.#leave = undefined
    this.#of = undefined
  }
}
