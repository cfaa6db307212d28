import type { KezChatClient, Message } from "@kez-chat/sdk/promise"
import type { More } from "../message-log/MessageLog.ts"

/** Messages of a page. */
const pageMessages = 60
/** Most unread messages that are loaded so that reading begins at the first of them. */
const unreadMessages = 400

/** What a list of messages shows of a thread. */
export interface View {
  readonly messages: ReadonlyArray<Message>
  readonly older: More
  readonly newer: More
}

export const nothingLoaded: View = { messages: [], older: "none", newer: "none" }

/** The loaded part of a conversation: consecutive messages by `order`, and whether there are more at either end. */
export class Thread {
  /** Replaced with each change. */
  messages: ReadonlyArray<Message> = []
  hasOlder = false
  hasNewer = false
  isLoadingOlder = false
  isLoadingNewer = false
  readonly peer: string
  readonly #client: KezChatClient
  readonly #who: string

  constructor(client: KezChatClient, who: string, peer: string) {
    this.#client = client
    this.#who = who
    this.peer = peer
  }

  get view(): View {
    const more = (has: boolean, isLoading: boolean): More => (has ? (isLoading ? "loading" : "some") : "none")
    return {
      messages: this.messages,
      older: more(this.hasOlder, this.isLoadingOlder),
      newer: more(this.hasNewer, this.isLoadingNewer)
    }
  }

  /** Loads the messages around an order, or the newest with those that are unread. */
  async open(at: number | undefined, unread: number): Promise<void> {
    const limit = at === undefined ? Math.max(pageMessages, Math.min(unread + 20, unreadMessages)) : pageMessages
    this.messages = await this.#client.history(this.#who, at === undefined ? { limit } : { around: at, limit })
    // A short page around a message may be short at one end only; the next page tells.
    this.hasOlder = at === undefined ? this.messages.length === limit : this.messages.length > 0
    this.hasNewer = at !== undefined && this.messages.length > 0
  }

  async loadOlder(): Promise<void> {
    const [first] = this.messages
    if (!this.hasOlder || this.isLoadingOlder || first === undefined) return
    this.isLoadingOlder = true
    try {
      const page = await this.#client.history(this.#who, { before: first.order, limit: pageMessages })
      this.messages = [...page, ...this.messages]
      this.hasOlder = page.length === pageMessages
    } finally {
      this.isLoadingOlder = false
    }
  }

  async loadNewer(): Promise<void> {
    const last = this.messages.at(-1)
    if (!this.hasNewer || this.isLoadingNewer || last === undefined) return
    this.isLoadingNewer = true
    try {
      const page = await this.#client.history(this.#who, { after: last.order, limit: pageMessages })
      this.messages = [...this.messages, ...page]
      this.hasNewer = page.length === pageMessages
    } finally {
      this.isLoadingNewer = false
    }
  }

  /** Reads the loaded part again, and what came after it, as when events were missed. */
  async reload(): Promise<void> {
    const [first] = this.messages
    if (first === undefined) return this.open(undefined, 0)
    const limit = this.messages.length + unreadMessages
    const page = await this.#client.history(this.#who, { after: first.order - 1, limit })
    this.messages = page
    this.hasNewer = page.length === limit
  }

  /** Adds a message at its place; false if it is here already, or belongs to a part that is not loaded. */
  add(message: Message): boolean {
    if (this.replace(message)) return false
    if (this.hasNewer) return true
    // A request is told of once the stranger's name is known, which may be after the conversation was opened.
    if (this.hasOlder && message.order < (this.messages[0]?.order ?? 0)) return false
    const index = this.messages.findLastIndex(({ order }) => order < message.order) + 1
    this.messages = this.messages.toSpliced(index, 0, message)
    return true
  }

  /** Puts the new state of a message in its place; false if it is not loaded. */
  replace(message: Message): boolean {
    const index = this.messages.findLastIndex(({ order }) => order === message.order)
    if (index < 0) return false
    this.messages = this.messages.with(index, message)
    return true
  }

  /** Takes a message out; false if it is not loaded. */
  remove({ order }: Message): boolean {
    const left = this.messages.filter((message) => message.order !== order)
    const isLoaded = left.length < this.messages.length
    if (isLoaded) this.messages = left
    return isLoaded
  }

  /** `order` of the first of the newest `count` received messages. */
  firstUnread(count: number): number | undefined {
    const received = this.messages.filter(({ direction }) => direction === "in")
    return count === 0 ? undefined : (received.at(-count)?.order ?? received[0]?.order)
  }
}
