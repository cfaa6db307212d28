/**
 * Types of `/embed.js` for pages written in TypeScript. Copy this file beside your sources, install `@kez-chat/sdk` for the
 * types that it names, and add to your tsconfig.json:
 *
 *     "paths": { "/embed.js": ["./embed.d.ts"] }
 */
import type { Contact, Conversation, KezChatClient, Verification } from "@kez-chat/sdk/promise"
import type { AccountState, WebAccount } from "@kez-chat/sdk/web-page"

export type { AccountState, WebAccount }

/** The account of this browser, in the worker that the home's own page uses too. */
export declare const openAccount: () => Promise<WebAccount>

/** What the components inside an element use; texts are English without any. */
export interface Provided {
  readonly client?: KezChatClient
  readonly texts?: Texts
}

/** Gives the components inside `host`, there already or later, a client and texts. */
export declare const provide: (host: HTMLElement, provided: Provided) => void

type Area = "common" | "signUp" | "conversation" | "people" | "settings"

/** Every sentence by area and name. Those with values in them are functions. */
export type Texts = { readonly [Name in Area]: object }

/** Some sentences in other words. */
export type OwnTexts = { readonly [Name in Area]?: Readonly<Record<string, unknown>> }

/** English with the given sentences in place of its own. */
export declare const withOwn: (own: OwnTexts) => Texts

/** Contexts of `@lit/context`, for pages on Lit. */
export declare const clientContext: symbol & { readonly __context__: KezChatClient }
export declare const textsContext: symbol & { readonly __context__: Texts }

/** What an address of the page shows. */
export type Route =
  | { readonly screen: "list" | "new" | "requests" | "about" }
  | { readonly screen: "conversation"; readonly who: string; readonly at?: number }
  | { readonly screen: "profile" | "safety" | "files"; readonly who: string }
  | { readonly screen: "search"; readonly query: string; readonly who?: string }
  | { readonly screen: "settings"; readonly part: string }

export declare const parseRoute: (hash: string) => Route
/** The address of a route, from the `#` on. */
export declare const hashOf: (route: Route) => string

/** A conversation with one person, or the notes to self. */
export interface KezConversation extends HTMLElement {
  /** Handle, mention or primary key of a contact, or of the own account for notes to self. */
  who: string
  /** `order` of a message to show, such as a search hit; without it what is unread, or the newest. */
  at: number | undefined
  /** The address of a contact's profile, where the page has such; names in messages link there. */
  profile: (handle: string) => string | undefined
  /** In place of the one that `provide` gives. */
  client: KezChatClient | undefined
}

/** The conversations, with links to each. */
export interface KezConversationList extends HTMLElement {
  /** Without requests. */
  conversations: ReadonlyArray<Conversation>
  /** How many people wait for a decision. */
  requests: number
  /** Handle of the open conversation. */
  selected: string
  /** The own handle, which leads to the notes to self. */
  own: string
  /** The own home server's name: its handles are shown without it. */
  home: string
}

/** Where a message is written. */
export interface KezComposer extends HTMLElement {
  /** The kept draft. It takes the place of the text unless somebody is typing here. */
  draft: string
  /** The other person, as the page names them; empty for notes to self. */
  name: string
  /** Why the last text was not sent. */
  problem: string
  /** Why the draft is not stored. */
  unsaved: string
  /** The text as it stands. */
  readonly value: string
  /** Puts a text back that could not be sent, before what was typed since. */
  restore(text: string): void
}

export interface KezSafetyNumber extends HTMLElement {
  /** Twelve groups of five digits. */
  number: string
}

/** What a contact's key has signed. */
export interface KezChain extends HTMLElement {
  verification: Verification | undefined
  /** The name to speak of. */
  name: string
  /** Name of the home server. */
  server: string
  /** It is the user's own chain. */
  own: boolean
}

/** The mark of an account, drawn from its key. */
export interface KezMark extends HTMLElement {
  /** `ed25519:<hex>`. */
  primary: string
  large: boolean
}

/** The elements that `embed.js` defines. */
export interface KezElements {
  "kez-conversation": KezConversation
  "kez-conversation-list": KezConversationList
  "kez-composer": KezComposer
  "kez-safety-number": KezSafetyNumber
  "kez-chain": KezChain
  "kez-mark": KezMark
}

declare global {
  interface HTMLElementTagNameMap extends KezElements {}
  interface HTMLElementEventMap {
    /** The person wants to compare safety numbers. */
    "kez-compare": CustomEvent<Contact>
    /** The contact was removed. */
    "kez-gone": CustomEvent<void>
    /** The text to send. */
    "kez-send": CustomEvent<string>
    /** The text to keep, at most 250 ms after it changed. */
    "kez-draft": CustomEvent<string>
  }
}
