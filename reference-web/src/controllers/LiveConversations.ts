import type { Conversation, Event as ChatEvent, KezChatClient } from "@kez-chat/sdk/promise"
import type { ReactiveController, ReactiveControllerHost } from "lit"
import { listen } from "./ChatEvents.ts"

/**
 * Pause between two readings of the list: this many times as long as the last one took, within these milliseconds. Many
 * messages may arrive at once, and the worker has to store them too.
 */
const pauseFactor = 12
const leastPause = 200
const mostPause = 2_000

const changes = new Set<ChatEvent["_tag"]>([
  "Message",
  "MessageRemoved",
  "State",
  "Read",
  "Draft",
  "Request",
  "Contact",
  "ContactRemoved",
  "KeyChanged",
  "KeyHealed",
  "Missed"
])

/** The conversations of a client, read again after events, while somebody listens. One for all listeners of a client. */
class Live {
  list: ReadonlyArray<Conversation> | undefined
  readonly #client: KezChatClient
  readonly #listeners = new Set<() => void>()
  #stop: (() => void) | undefined
  #isReading = false
  #isDue = false

  constructor(client: KezChatClient) {
    this.#client = client
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    if (this.#stop === undefined) {
      this.#stop = listen(this.#client, ({ _tag }) => {
        if (changes.has(_tag)) void this.#read()
      })
      void this.#read()
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#stop?.()
      this.#stop = undefined
      // The next listener may come after another account was opened.
      this.list = undefined
    }
  }

  async #read(): Promise<void> {
    this.#isDue = true
    if (this.#isReading) return
    this.#isReading = true
    try {
      while (this.#isDue && this.#stop !== undefined) {
        this.#isDue = false
        const begun = performance.now()
        const list = await this.#client.conversations()
        if (this.#stop !== undefined) this.list = list
        for (const listener of this.#listeners) listener()
        const taken = performance.now() - begun
        const pause = Math.min(mostPause, Math.max(leastPause, taken * pauseFactor))
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    } catch {
      // The client was closed or locked, which the shell shows: the list stays as it was.
    } finally {
      this.#isReading = false
    }
  }
}

const all = new WeakMap<KezChatClient, Live>()

const liveOf = (client: KezChatClient): Live => {
  const known = all.get(client)
  if (known !== undefined) return known
  const live = new Live(client)
  all.set(client, live)
  return live
}

/** Gives its host the conversations of a client and updates it when they change. */
export class LiveConversations implements ReactiveController {
  readonly #host: ReactiveControllerHost
  readonly #client: () => KezChatClient | undefined
  #of: KezChatClient | undefined
  #leave: (() => void) | undefined
  /** A host may update itself once more after it was removed. */
  #isConnected = false

  constructor(host: ReactiveControllerHost, client: () => KezChatClient | undefined) {
    this.#host = host
    this.#client = client
    host.addController(this)
  }

  /** Newest first; undefined until they are read. */
  get list(): ReadonlyArray<Conversation> | undefined {
    return this.#of === undefined ? undefined : liveOf(this.#of).list
  }

  /** How many messages of a conversation are not read, also before the list is known. */
  async unreadIn(peer: string): Promise<number> {
    const list = this.list ?? (await this.#client()?.conversations())
    return list?.find((conversation) => conversation.peer === peer)?.unread ?? 0
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
    this.#leave = client === undefined ? undefined : liveOf(client).listen(() => this.#host.requestUpdate())
  }

  hostDisconnected(): void {
    this.#isConnected = false
    this.#leave?.()
    this.#leave = undefined
    this.#of = undefined
  }
}

/** What a person should know of without opening the list: messages of accepted contacts that are not read. */
export const unreadOf = (list: ReadonlyArray<Conversation>): number =>
  list.reduce(
    (sum, { contact, unread }) =>
      contact === undefined || contact.state === "accepted" || contact.state === "changed" ? sum + unread : sum,
    0
  )

export const requestsOf = (list: ReadonlyArray<Conversation>): ReadonlyArray<Conversation> =>
  list.filter(({ contact }) => contact?.state === "requested")
