import type { KezChatClient } from "@kez-chat/sdk/promise"
import type { ReactiveControllerHost } from "lit"
import { detailOf, problemCode, tagOf } from "./Errors.ts"

/** A draft that is in this page only. */
interface Unsaved {
  readonly text: string
  /** Why; empty if the composer says so itself. */
  readonly problem: string
}

const unsaved = new WeakMap<KezChatClient, Map<string, Unsaved>>()

/** Whose drafts: `own` is the key of the account, so that another one that is opened sees nothing of this one's. */
interface Writer {
  readonly client: KezChatClient | undefined
  readonly own: string
}

/** Whether a call failed because the worker is gone, and not because somebody locked the account. */
const isWorkerGone = (error: unknown): boolean => {
  const state = (error as { readonly state?: unknown } | null)?.state
  return tagOf(error) === "ClientClosed" || (tagOf(error) === "AccountLocked" && state !== "locked")
}

/** Drafts of an account. What cannot be stored, as on a full disk or without a worker, stays in the page until it can. */
export class Drafts {
  readonly #host: ReactiveControllerHost
  readonly #writer: () => Writer

  constructor(host: ReactiveControllerHost, writer: () => Writer) {
    this.#host = host
    this.#writer = writer
  }

  /** Why the draft for `who` is not stored; empty if it is. */
  problem(who: string): string {
    return this.#unsaved(who)?.problem ?? ""
  }

  async read(who: string): Promise<string> {
    const unsaved = this.#unsaved(who)
    if (unsaved === undefined) return (await this.#writer().client?.draft(who)) ?? ""
    void this.keep(who, unsaved.text)
    return unsaved.text
  }

  async keep(who: string, text: string): Promise<void> {
    const { client, own } = this.#writer()
    if (client === undefined) return
    const texts = unsaved.get(client) ?? new Map<string, Unsaved>()
    unsaved.set(client, texts)
    const key = `${own} ${who}`
    try {
      await client.setDraft(who, text)
      texts.delete(key)
    } catch (error) {
      // A text that is too long to send is too long to store. Of an account that was locked meanwhile nothing stays.
      if (problemCode(error) === "message_too_large" || isWorkerGone(error)) texts.set(key, { text, problem: "" })
      else if (tagOf(error) === "StoreError") texts.set(key, { text, problem: detailOf(error) })
    }
    this.#host.requestUpdate()
  }

  #unsaved(who: string): Unsaved | undefined {
    const { client, own } = this.#writer()
    return client === undefined ? undefined : unsaved.get(client)?.get(`${own} ${who}`)
  }
}
