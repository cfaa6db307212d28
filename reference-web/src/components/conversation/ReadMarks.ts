import type { KezChatClient } from "@kez-chat/sdk/promise"

/** Pause between two marks, in milliseconds: messages may arrive many at once, and each mark is a commit in the worker. */
const pauseMillis = 200

/** Marks conversations as read: the first time at once, and then no faster than the worker takes it. */
export class ReadMarks {
  readonly #client: () => KezChatClient | undefined
  readonly #due = new Set<string>()
  #isRunning = false

  constructor(client: () => KezChatClient | undefined) {
    this.#client = client
  }

  mark(who: string): void {
    this.#due.add(who)
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#due.size > 0) {
      for (const who of this.#due) {
        this.#due.delete(who)
        await this.#client()
          ?.markRead(who)
          .catch(() => undefined)
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMillis))
    }
    this.#isRunning = false
  }
}
