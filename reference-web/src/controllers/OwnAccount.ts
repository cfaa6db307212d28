import type { Account, KezChatClient } from "@kez-chat/sdk/promise"
import type { ReactiveController, ReactiveControllerHost } from "lit"

/** The account of its host's client, once that has told it. */
export class OwnAccount implements ReactiveController {
  value: Account | undefined
  readonly #host: ReactiveControllerHost
  readonly #clientOf: () => KezChatClient | undefined
  #client: KezChatClient | undefined

  constructor(host: ReactiveControllerHost, client: () => KezChatClient | undefined) {
    this.#host = host
    this.#clientOf = client
    host.addController(this)
  }

  hostUpdate(): void {
    const client = this.#clientOf()
    if (client === this.#client) return
    this.#client = client
    if (client !== undefined) void this.#read(client)
  }

  async #read(client: KezChatClient): Promise<void> {
    const account = await client.account().catch(() => undefined)
    if (client !== this.#client || account === undefined) return
    this.value = account
    this.#host.requestUpdate()
  }
}
