import { consume } from "@lit/context"
import type { Contact, Conversation, KezChatClient } from "@kez-chat/sdk/promise"
import { css, html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { repeat } from "lit/directives/repeat.js"
import { clientContext } from "../../context.ts"
import { keepStorage } from "../../controllers/KeepStorage.ts"
import "../../components/held/Held.ts"
import { LiveConversations, requestsOf } from "../../controllers/LiveConversations.ts"
import { OwnAccount } from "../../controllers/OwnAccount.ts"
import { go, hashOf } from "../../controllers/Route.ts"
import "../../elements/button/Button.ts"
import "../../elements/dialog/Dialog.ts"
import "../../elements/mark/Mark.ts"
import "../../elements/note/Note.ts"
import { identityText } from "../../components/claims/IdentityText.ts"
import { dayInSentence } from "../../model/DayInSentence.ts"
import { displayName } from "../../model/DisplayName.ts"
import { detailOf } from "../../controllers/Errors.ts"
import { shortMoment } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import { screenHead, screenStyles } from "../ScreenHead.ts"

/** Most characters of a request's text that are shown here. */
const shownCharacters = 300

/** People who wrote and are not contacts, with what they wrote and the decision about each. */
@customElement("kez-requests-screen")
export class RequestsScreen extends LitElement {
  static override styles = [
    shared,
    screenStyles,
    css`
      .soft {
        color: var(--soft);
      }
      ul {
        display: grid;
        gap: var(--space-3);
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        gap: var(--space-3);
        padding: var(--space-4);
        border: 1px solid var(--line);
        border-radius: var(--radius-card);
      }
      .person {
        display: flex;
        align-items: center;
        gap: var(--space-3);
      }
      h2 {
        flex: 1;
        min-width: 0;
        font-size: var(--text-name);
      }
      h2 a {
        color: inherit;
        text-decoration: none;
      }
      time {
        color: var(--soft);
        font-size: var(--text-time);
      }
      .text {
        display: -webkit-box;
        overflow: clip;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 4;
        white-space: pre-line;
        overflow-wrap: anywhere;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
      }
    `
  ]

  @consume({ context: clientContext, subscribe: true })
  @property({ attribute: false })
  client: KezChatClient | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private problem = ""
  /** Key of the person whose decision is carried out. */
  @state() private busy = ""
  @state() private toDelete: Conversation | undefined
  readonly #own = new OwnAccount(this, () => this.client)
  readonly #live = new LiveConversations(this, () => this.client)

  get heading(): string {
    return this.texts.conversation.requestsTitle
  }

  protected override render() {
    const texts = this.texts.conversation
    const list = this.#live.list
    const requests = list === undefined ? undefined : requestsOf(list)
    return html`<div class="page">
      ${screenHead(this.heading, { route: { screen: "list" }, label: this.texts.common.conversations })}
      ${this.problem === "" ? nothing : html`<kez-note kind="danger" live>${this.texts.common.failed(this.problem)}</kez-note>`}
      ${
        requests === undefined || this.#own.value === undefined
          ? nothing
          : requests.length === 0
            ? html`<p class="soft">${texts.noRequests}</p>`
            : html`<p class="soft">${texts.requestsHint}</p>
                <ul>
                  ${repeat(
                    requests,
                    ({ peer }) => peer,
                    (request) => this.#request(request)
                  )}
                </ul>`
      }
      <kez-held .client=${this.client} .server=${this.#own.value?.server ?? ""}></kez-held>
      <kez-dialog
        .open=${this.toDelete !== undefined}
        heading=${texts.deleteRequest}
        closeLabel=${this.texts.common.close}
        @kez-close=${() => (this.toDelete = undefined)}
      >
        <p>${texts.deleteRequestQuestion(this.toDelete === undefined ? "" : this.#nameOf(this.toDelete))}</p>
        <kez-button slot="actions" @click=${() => (this.toDelete = undefined)}>${texts.keep}</kez-button>
        <kez-button slot="actions" kind="danger" @click=${this.#delete}>${texts.deleteRequest}</kez-button>
      </kez-dialog>
    </div>`
  }

  #nameOf({ contact, peer }: Conversation): string {
    return displayName(contact?.handle ?? peer, this.#own.value?.server ?? "")
  }

  #request(request: Conversation): TemplateResult {
    const { contact, last, peer } = request
    const texts = this.texts.conversation
    const who = contact?.handle ?? peer
    const name = this.#nameOf(request)
    const isBusy = this.busy === peer
    const act = (call: (client: KezChatClient) => Promise<unknown>, after?: () => void) => () =>
      void this.#act(peer, call, after)
    return html`<li>
      <div class="person">
        <kez-mark primary=${peer}></kez-mark>
        <h2>
          <a href=${hashOf({ screen: "conversation", who })} aria-label=${texts.readRequest(name)}
            ><bdi>${name}</bdi></a
          >
        </h2>
        ${last === undefined ? nothing : html`<time>${shortMoment(last.arrivedAt, Date.now())}</time>`}
      </div>
      ${last === undefined ? nothing : html`<p class="text" dir="auto"><bdi>${last.text.slice(0, shownCharacters)}</bdi></p>`}
      ${contact?.admission === undefined ? nothing : html`<p class="soft">${this.#admission(contact.admission)}</p>`}
      <div class="actions" role="group" aria-label=${name}>
        <kez-button
          kind="primary"
          ?busy=${isBusy}
          @click=${act(
            (client) => client.accept(peer),
            () => {
              void keepStorage()
              go({ screen: "conversation", who })
            }
          )}
          >${texts.accept}</kez-button
        >
        <kez-button ?busy=${isBusy} @click=${act((client) => client.block(peer))}>${texts.block}</kez-button>
        <kez-button ?busy=${isBusy} @click=${() => (this.toDelete = request)}>${texts.deleteRequest}</kez-button>
      </div>
    </li>`
  }

  #admission(admission: NonNullable<Contact["admission"]>): TemplateResult {
    const { admittedByIntroduction, admittedByProof } = this.texts.conversation
    const now = Date.now()
    const text =
      admission.by === "proof"
        ? admittedByProof(identityText(admission.subject).name, dayInSentence(admission.checkedAt, now))
        : admittedByIntroduction(
            displayName(admission.who, this.#own.value?.server ?? ""),
            dayInSentence(admission.at, now)
          )
    return html`<bdi>${text}</bdi>`
  }

  readonly #delete = (): void => {
    const peer = this.toDelete?.peer
    this.toDelete = undefined
    if (peer !== undefined) void this.#act(peer, (client) => client.removeContact(peer, true))
  }

  async #act(peer: string, call: (client: KezChatClient) => Promise<unknown>, after?: () => void): Promise<void> {
    const { client } = this
    if (client === undefined || this.busy !== "") return
    this.busy = peer
    this.problem = ""
    try {
      await call(client)
      after?.()
    } catch (error) {
      this.problem = detailOf(error)
    } finally {
      this.busy = ""
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-requests-screen": RequestsScreen
  }
}
