import { ContextProvider } from "@lit/context"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import { html, type TemplateResult } from "lit"
import { ref } from "lit/directives/ref.js"
import { clientContext } from "../context.ts"

/** A screen with a client of which only some calls answer; the others never do. */
export const withClient = (calls: Partial<KezChatClient>, screen: () => TemplateResult): TemplateResult => {
  const client = { events: () => silent, ...calls } as unknown as KezChatClient
  const provide = (element: Element | undefined): void => {
    if (!(element instanceof HTMLElement)) return
    const provider = new ContextProvider(element, { context: clientContext, initialValue: client })
    provider.hostConnected()
  }
  return html`<div class="whole" ${ref(provide)}>${screen()}</div>`
}

const silent: AsyncIterable<never> = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) })
}
