import { consume } from "@lit/context"
import type { Account, Contact, KezChatClient } from "@kez-chat/sdk/promise"
import { css, html, LitElement, nothing, type PropertyValues } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../components/conversation/Conversation.ts"
import { clientContext } from "../../context.ts"
import { ChatEvents } from "../../controllers/ChatEvents.ts"
import { go, hashOf } from "../../controllers/Route.ts"
import "../../elements/icon/Icon.ts"
import "../../elements/mark/Mark.ts"
import { displayName, isNamed } from "../../model/DisplayName.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"

/** A conversation below its header, which names the person and leads to the profile. */
@customElement("kez-conversation-screen")
export class ConversationScreen extends LitElement {
  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-height: 0;
        background: var(--surface);
      }
      header {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        min-height: 3.75rem;
        padding: var(--space-2) var(--space-4);
        border-bottom: 1px solid var(--line);
      }
      header > a {
        display: grid;
        place-items: center;
        flex: none;
        width: max(var(--target), 2.5rem);
        height: max(var(--target), 2.5rem);
        border-radius: 50%;
        color: var(--ink);
      }
      header > a:hover {
        background: var(--sunken);
      }
      .back {
        margin-inline-start: calc(-1 * var(--space-2));
      }
      @media (min-width: 48rem) {
        .back {
          display: none !important;
        }
      }
      h1 {
        flex: 1;
        min-width: 0;
        font-size: var(--text-name);
      }
      .title {
        display: flex;
        align-items: center;
        gap: var(--space-3);
      }
      h1 a {
        color: inherit;
        text-decoration: none;
      }
      h1 a:hover bdi {
        text-decoration: underline;
        text-underline-offset: 0.2em;
      }
      kez-mark {
        width: 2.25rem;
        height: 2.25rem;
      }
      .who {
        display: grid;
        min-width: 0;
      }
      bdi {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .trust {
        display: flex;
        align-items: center;
        gap: var(--space-1);
        color: var(--soft);
        font: var(--text-time) / 1.3 var(--sans);
        overflow-wrap: normal;
      }
      .trust.warn {
        color: var(--warn);
        font-weight: 600;
      }
      .trust kez-icon {
        width: 0.875rem;
        height: 0.875rem;
      }
      kez-conversation {
        flex: 1;
      }
    `
  ]

  @property() who = ""
  @property({ type: Number }) at: number | undefined
  @consume({ context: clientContext, subscribe: true }) @property({ attribute: false }) client:
    | KezChatClient
    | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private contact: Contact | undefined
  @state() private account: Account | undefined
  readonly #profile = (who: string) => hashOf({ screen: "profile", who })
  // oxlint-disable-next-line no-unused-private-class-members -- it acts by itself
  readonly #events = new ChatEvents(
    this,
    () => this.client,
    (event) => {
      if (!("contact" in event)) return
      if (this.contact === undefined && isNamed(this.who, event.contact)) void this.#read()
      if (this.contact === undefined || event._tag === "Message") return
      // A new key that was accepted comes under the same handle.
      const { handle, primary } = event.contact
      if (primary === this.contact.primary || handle === this.contact.handle) this.contact = event.contact
    }
  )

  /** What the document's title says. */
  get heading(): string {
    const { account, contact, who } = this
    if (account !== undefined && contact === undefined && this.#isSelf(account)) {
      return this.texts.conversation.notesToSelf
    }
    return displayName(contact?.handle ?? who, account?.server ?? "")
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("who") || changed.has("client")) void this.#read()
  }

  protected override render() {
    const { account, contact } = this
    const peer = contact?.primary ?? (account !== undefined && this.#isSelf(account) ? account.primary : undefined)
    const title = html`<span class="title"
      >${peer === undefined ? nothing : html`<kez-mark primary=${peer}></kez-mark>`}
      <span class="who"><bdi>${this.heading}</bdi>${this.#trust(contact)}</span></span
    >`
    return html`<header>
        <a class="back" href=${hashOf({ screen: "list" })} aria-label=${this.texts.common.back}
          ><kez-icon name="back"></kez-icon
        ></a>
        <h1 tabindex="-1">
          ${
            contact === undefined
              ? title
              : html`<a href=${hashOf({ screen: "profile", who: contact.handle })}>${title}</a>`
          }
        </h1>
        <a
          href=${hashOf({ screen: "search", query: "", who: contact?.handle ?? this.who })}
          aria-label=${this.texts.conversation.searchHere}
          title=${this.texts.conversation.searchHere}
          ><kez-icon name="search"></kez-icon
        ></a>
      </header>
      <kez-conversation
        .client=${this.client}
        .who=${this.who}
        .at=${this.at}
        .profile=${this.#profile}
        @kez-compare=${({ detail }: CustomEvent<Contact>) => go({ screen: "safety", who: detail.handle })}
        @kez-gone=${() => go({ screen: "list" }, true)}
      ></kez-conversation>`
  }

  #trust(contact: Contact | undefined) {
    const texts = this.texts.conversation
    if (contact?.state === "changed") {
      return html`<span class="trust warn"><kez-icon name="warning"></kez-icon>${texts.keyChangedMark}</span>`
    }
    return contact?.verified
      ? html`<span class="trust"><kez-icon name="check"></kez-icon>${texts.keyChecked}</span>`
      : nothing
  }

  #isSelf({ handle, primary }: Account): boolean {
    return this.who === handle || this.who === primary
  }

  async #read(): Promise<void> {
    const { client, who } = this
    if (client === undefined || who === "") return
    this.contact = undefined
    const account = await client.account().catch(() => undefined)
    const contact =
      account === undefined || who === account.handle || who === account.primary
        ? undefined
        : await client.contact(who).catch(() => undefined)
    if (who !== this.who) return
    this.account = account
    this.contact = contact
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-conversation-screen": ConversationScreen
  }
}
