import { type Context, ContextProvider } from "@lit/context"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import { html, type TemplateResult } from "lit"
import { ref } from "lit/directives/ref.js"
import { accountContext, clientContext } from "../context.ts"
import type { WebAccount } from "@kez-chat/sdk/web-page"

const provide = <A>(context: Context<unknown, A>, value: A, screen: () => TemplateResult): TemplateResult => {
  const attach = (element: Element | undefined): void => {
    if (!(element instanceof HTMLElement)) return
    new ContextProvider(element, { context, initialValue: value }).hostConnected()
  }
  return html`<div class="whole" ${ref(attach)}>${screen()}</div>`
}

const silent: AsyncIterable<never> = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) })
}
const never = () => new Promise<never>(() => undefined)

/** A screen with a client of which only some calls answer; the others never do. */
export const withClient = (calls: Partial<KezChatClient>, screen: () => TemplateResult): TemplateResult => {
  const answers = new Proxy(
    { events: () => silent, ...calls },
    {
      get: (known, name) => Reflect.get(known, name) ?? never
    }
  )
  return provide(clientContext, answers as unknown as KezChatClient, screen)
}

/** A screen with an open account at kez.lat. */
export const withAccount = (screen: () => TemplateResult): TemplateResult =>
  provide(
    accountContext,
    { home: { name: "kez.lat", url: "https://kez.lat" }, state: { _tag: "open" } } as WebAccount,
    screen
  )
