import { consume } from "@lit/context"
import type { Conversation, Message } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { repeat } from "lit/directives/repeat.js"
import { hashOf } from "../../controllers/Route.ts"
import "../../elements/icon/Icon.ts"
import "../../elements/links/Links.ts"
import "../../elements/mark/Mark.ts"
import { displayName } from "../../model/DisplayName.ts"
import { shortMoment } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import { styles } from "./ConversationList.styles.ts"

/** Characters of a message that can show in a line; the rest of a long one is not laid out. */
const lineCharacters = 160

/** The conversations as links, newest first, below a row that leads to the requests. */
@customElement("kez-conversation-list")
export class ConversationList extends LitElement {
  static override styles = [shared, styles]

  /** Without requests. */
  @property({ attribute: false }) conversations: ReadonlyArray<Conversation> = []
  @property({ type: Number }) requests = 0
  /** Handle of the open conversation. */
  @property() selected = ""
  /** The own handle, which leads to the notes to self. */
  @property() own = ""
  /** The own home server's name: its handles are shown without it. */
  @property() home = ""
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en

  protected override render() {
    const texts = this.texts.conversation
    if (this.conversations.length === 0 && this.requests === 0) {
      return html`<div class="empty">
        <p>${texts.noConversations}</p>
        <p>${texts.noConversationsHint(this.own)}</p>
        <p><a href=${hashOf({ screen: "new" })}>${texts.addTitle}</a></p>
      </div>`
    }
    return html`<ul>
      ${this.requests === 0 ? nothing : html`<li>${this.#requests()}</li>`}
      ${repeat(
        this.conversations,
        ({ peer }) => peer,
        (conversation) => html`<li>${this.#row(conversation)}</li>`
      )}
    </ul>`
  }

  #requests(): TemplateResult {
    const texts = this.texts.conversation
    return html`<a
      class="requests"
      href=${hashOf({ screen: "requests" })}
      aria-current=${this.selected === "requests" ? "page" : nothing}
    >
      <span class="mark"><kez-icon name="requests"></kez-icon></span>
      <span class="name">${texts.requestsRow(this.requests)}</span>
      <span class="count" aria-hidden="true">${this.requests}</span>
    </a>`
  }

  #row(conversation: Conversation): TemplateResult {
    const { contact, last, peer, unread } = conversation
    const texts = this.texts.conversation
    const who = contact?.handle ?? this.own
    const isSelected = this.selected !== "" && (this.selected === who || this.selected === peer)
    return html`<a
      href=${hashOf({ screen: "conversation", who })}
      class=${unread > 0 ? "unread" : ""}
      aria-current=${isSelected ? "page" : nothing}
    >
      <kez-mark primary=${peer}></kez-mark>
      <div>
        <div class="name"><bdi>${contact === undefined ? texts.notesToSelf : displayName(who, this.home)}</bdi></div>
        <div class="line">${this.#line(conversation)}</div>
      </div>
      <div class="aside">
        ${last === undefined ? nothing : html`<time datetime=${new Date(last.arrivedAt).toISOString()}>${shortMoment(last.arrivedAt, Date.now())}</time>`}
        ${
          unread > 0
            ? html`<span class="count"
                >${unread > 999 ? "999+" : unread}<span class="visually-hidden"> ${texts.unread(unread)}</span></span
              >`
            : html`<span class="state">${this.#state(last)}</span>`
        }
      </div>
    </a>`
  }

  #line({ contact, draft, last }: Conversation): TemplateResult | string {
    const texts = this.texts.conversation
    if (contact?.state === "changed") {
      return html`<span class="warn"><kez-icon name="warning"></kez-icon>${texts.keyChangedMark}</span>`
    }
    if (contact?.state === "blocked") return texts.blockedMark
    if (draft !== undefined) {
      return html`<span class="draft">${texts.draftPrefix}</span> <bdi>${draft.slice(0, lineCharacters)}</bdi>`
    }
    if (last === undefined) return texts.noMessages
    const text = last.text.slice(0, lineCharacters)
    const shown = html`<bdi>${last.type === "file_share" ? texts.fileLine(text) : text}</bdi>`
    return last.direction === "out" && contact !== undefined ? html`${texts.you}: ${shown}` : shown
  }

  #state(last: Message | undefined): TemplateResult | typeof nothing {
    const texts = this.texts.conversation
    if (last?.state !== "queued" && last?.state !== "failed") return nothing
    const word = last.state === "failed" ? texts.failedMark : texts.waitingMark
    return html`<kez-links state=${last.state} title=${word}></kez-links><span class="visually-hidden">${word}</span>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-conversation-list": ConversationList
  }
}
