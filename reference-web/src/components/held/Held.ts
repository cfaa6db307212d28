import { consume } from "@lit/context"
import type { HeldRequest, KezChatClient } from "@kez-chat/sdk/promise"
import { css, html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { clientContext } from "../../context.ts"
import { ChatEvents } from "../../controllers/ChatEvents.ts"
import { detailOf } from "../../controllers/Errors.ts"
import "../../elements/button/Button.ts"
import "../../elements/mark/Mark.ts"
import "../../elements/note/Note.ts"
import { displayName } from "../../model/DisplayName.ts"
import { shortMoment } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../claims/Claims.ts"

/** Strangers whose mail the user's policy holds back: who, why, and the decision about each. Nothing they wrote is shown. */
@customElement("kez-held")
export class Held extends LitElement {
  static override styles = [
    shared,
    css`
      h2 {
        margin: var(--space-6) 0 var(--space-1);
      }
      .soft {
        color: var(--soft);
        font-size: var(--text-small);
      }
      ul {
        display: grid;
        gap: var(--space-3);
        margin: var(--space-3) 0 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        gap: var(--space-2);
        padding: var(--space-4);
        border: 1px dashed var(--edge);
        border-radius: var(--radius-card);
      }
      .person {
        display: flex;
        align-items: center;
        gap: var(--space-3);
      }
      h3 {
        flex: 1;
        min-width: 0;
        margin: 0;
        font-size: var(--text-name);
        overflow-wrap: anywhere;
      }
      time {
        color: var(--soft);
        font-size: var(--text-time);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
        margin-top: var(--space-2);
      }
    `
  ]

  @consume({ context: clientContext, subscribe: true })
  @property({ attribute: false })
  client: KezChatClient | undefined
  /** Name of the home server. */
  @property() server = ""
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private held: ReadonlyArray<HeldRequest> = []
  @state() private problem = ""
  /** Key of the person whose decision is carried out. */
  @state() private busy = ""
  #readOf: KezChatClient | undefined

  constructor() {
    super()
    // oxlint-disable-next-line no-new -- it acts by itself
    new ChatEvents(
      this,
      () => this.client,
      ({ _tag }) => {
        if (_tag === "Held" || _tag === "Contact" || _tag === "ContactRemoved" || _tag === "Missed") void this.#load()
      }
    )
  }

  protected override willUpdate(): void {
    if (this.client === this.#readOf) return
    this.#readOf = this.client
    void this.#load()
  }

  async #load(): Promise<void> {
    try {
      this.held = (await this.client?.held()) ?? []
    } catch (error) {
      this.problem = detailOf(error)
    }
  }

  protected override render() {
    const { common, conversation } = this.texts
    if (this.held.length === 0 && this.problem === "") return nothing
    return html`<h2>${conversation.heldTitle}</h2>
      <p class="soft">${conversation.heldHint}</p>
      ${this.problem === "" ? nothing : html`<kez-note kind="danger" live>${common.failed(this.problem)}</kez-note>`}
      <ul>
        ${this.held.map((request) => this.#request(request))}
      </ul>`
  }

  #request({ claims, dropped, handle, lastAt, messages, primary, sentence }: HeldRequest): TemplateResult {
    const { conversation } = this.texts
    const isBusy = this.busy === primary
    return html`<li>
      <div class="person">
        <kez-mark primary=${primary}></kez-mark>
        <h3><bdi>${displayName(handle, this.server)}</bdi></h3>
        <time>${shortMoment(lastAt, Date.now())}</time>
      </div>
      <p>${conversation.heldMessages(messages, dropped)} <bdi>${sentence}</bdi></p>
      ${claims.length === 0 ? nothing : html`<kez-claims .claims=${claims} plain></kez-claims>`}
      <div class="actions" role="group" aria-label=${displayName(handle, this.server)}>
        <kez-button ?busy=${isBusy} @click=${() => this.#act(primary, (client) => client.accept(primary))}
          >${conversation.heldLetIn}</kez-button
        >
        <kez-button ?busy=${isBusy} @click=${() => this.#act(primary, (client) => client.block(primary))}
          >${conversation.block}</kez-button
        >
      </div>
    </li>`
  }

  async #act(primary: string, call: (client: KezChatClient) => Promise<unknown>): Promise<void> {
    if (this.client === undefined || this.busy !== "") return
    this.busy = primary
    this.problem = ""
    try {
      await call(this.client)
    } catch (error) {
      this.problem = detailOf(error)
    } finally {
      this.busy = ""
      await this.#load()
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-held": Held
  }
}
