/**
 * The components for other pages of this origin: `<script type="module" src="/embed.js">` defines the elements, and the
 * module exports what fills them. See docs/embedding.md.
 */
import { ContextProvider } from "@lit/context"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import { openAccount as open } from "@kez-chat/sdk/web-page"
import "./contextRoot.ts"
import "./components/chain/Chain.ts"
import "./components/composer/Composer.ts"
import "./components/conversation-list/ConversationList.ts"
import "./components/conversation/Conversation.ts"
import "./components/safety-number/SafetyNumber.ts"
import { clientContext } from "./context.ts"
import "./elements/mark/Mark.ts"
// As it is written: compiled for older browsers, `light-dark()` needs rules of the page.
import tokens from "./styles/tokens.css?raw"
import { type Texts, textsContext } from "./texts/Texts.ts"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import { workers } from "./workers.ts"

export { clientContext, textsContext }
export { hashOf, parseRoute, type Route } from "./controllers/Route.ts"
export { type OwnTexts, type Texts, withOwn } from "./texts/Texts.ts"
export type { AccountState, WebAccount } from "@kez-chat/sdk/web-page"

declare const BUILD_TIME: string

/** The account of this browser, in the worker that the home's own page uses too. */
export const openAccount = (): Promise<WebAccount> => open({ build: BUILD_TIME, ...workers })

/** What the components inside an element use; texts are English without any. */
export interface Provided {
  readonly client?: KezChatClient
  readonly texts?: Texts
}

/**
 * Gives the components inside `host`, there already or later, a client and texts. A page on Lit may provide the contexts
 * itself.
 */
export const provide = (host: HTMLElement, { client, texts }: Provided): void => {
  // An element that is not Lit's never tells its provider that it is connected.
  if (client !== undefined) new ContextProvider(host, { context: clientContext, initialValue: client }).hostConnected()
  if (texts !== undefined) new ContextProvider(host, { context: textsContext, initialValue: texts }).hostConnected()
}

// In a layer, so that the rules of the embedding page override it.
const sheet = new CSSStyleSheet()
sheet.replaceSync(`@layer kez-chat { ${tokens} }`)
document.adoptedStyleSheets = [sheet, ...document.adoptedStyleSheets]
