import { consume } from "@lit/context"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import { css, html, LitElement, nothing } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../components/conversation-list/ConversationList.ts"
import "../../components/words-reminder/WordsReminder.ts"
import { clientContext } from "../../context.ts"
import { LiveConversations, requestsOf } from "../../controllers/LiveConversations.ts"
import { wordsReminderDue } from "../../controllers/Preferences.ts"
import { OwnAccount } from "../../controllers/OwnAccount.ts"
import { go, hashOf } from "../../controllers/Route.ts"
import "../../elements/icon/Icon.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"

/** How long nothing is shown before the page says that it is loading, in milliseconds. */
const quietMillis = 300

/** The list of conversations, live, with Alt Up and Alt Down to go through it. */
@customElement("kez-conversations")
export class Conversations extends LitElement {
  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-height: 0;
        background: var(--ground);
      }
      header {
        display: flex;
        align-items: center;
        gap: var(--space-1);
        padding: var(--space-3) var(--space-2) var(--space-1) var(--space-4);
      }
      h1,
      h2 {
        flex: 1;
        font-size: var(--text-name);
      }
      header a {
        display: grid;
        place-items: center;
        width: max(var(--target), 2.5rem);
        height: max(var(--target), 2.5rem);
        border-radius: 50%;
        color: var(--ink);
      }
      header a:hover {
        background: var(--sunken);
      }
      kez-words-reminder {
        margin: var(--space-2) var(--space-3);
      }
      .list {
        flex: 1;
        min-height: 0;
        overflow-y: auto;
        overscroll-behavior: contain;
      }
      .loading {
        padding: var(--space-4) var(--space-5);
        color: var(--soft);
      }
    `
  ]

  /** Handle of the open conversation. */
  @property() selected = ""
  /** Beside a screen, which has the main heading. */
  @property({ type: Boolean }) beside = false
  @consume({ context: clientContext, subscribe: true }) @property({ attribute: false }) client:
    | KezChatClient
    | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private isSlow = false
  readonly #own = new OwnAccount(this, () => this.client)
  readonly #live = new LiveConversations(this, () => this.client)
  #timer: ReturnType<typeof setTimeout> | undefined

  get heading(): string {
    return this.texts.conversation.conversations
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener("keydown", this.#key)
    this.#timer = setTimeout(() => (this.isSlow = true), quietMillis)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener("keydown", this.#key)
    clearTimeout(this.#timer)
  }

  protected override render() {
    const texts = this.texts.conversation
    const account = this.#own.value
    const list = this.#live.list
    const link = (hash: string, icon: "search" | "plus" | "settings", label: string) =>
      html`<a href=${hash} aria-label=${label} title=${label}><kez-icon name=${icon}></kez-icon></a>`
    return html`<header>
        ${this.beside ? html`<h2>${texts.conversations}</h2>` : html`<h1 tabindex="-1">${texts.conversations}</h1>`}
        ${link(hashOf({ screen: "search", query: "" }), "search", texts.searchTitle)}
        ${link(hashOf({ screen: "new" }), "plus", texts.newConversation)}
        ${link(hashOf({ screen: "settings", part: "" }), "settings", texts.settings)}
      </header>
      ${wordsReminderDue() ? html`<kez-words-reminder></kez-words-reminder>` : nothing}
      <div class="list">
        ${
          list === undefined || account === undefined
            ? html`<p class="loading" role="status">${this.isSlow ? this.texts.common.loading : nothing}</p>`
            : html`<kez-conversation-list
                .conversations=${list.filter(({ contact }) => contact?.state !== "requested")}
                .requests=${requestsOf(list).length}
                .selected=${this.selected}
                .own=${account.handle}
                .home=${account.server}
              ></kez-conversation-list>`
        }
      </div>`
  }

  readonly #key = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0
    if (step === 0 || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
    const open = (this.#live.list ?? []).filter(({ contact }) => contact?.state !== "requested")
    const names = open.map(({ contact }) => contact?.handle ?? this.#own.value?.handle ?? "")
    const at = open.findIndex(({ peer }, index) => this.selected === names[index] || this.selected === peer)
    const who = names[at < 0 ? (step > 0 ? 0 : names.length - 1) : at + step]
    event.preventDefault()
    if (who !== undefined && who !== "") go({ screen: "conversation", who })
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-conversations": Conversations
  }
}
