import { consume } from "@lit/context"
import type { Contact } from "@kez-chat/sdk/promise"
import { css, html, LitElement, nothing } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../../elements/button/Button.ts"
import "../../elements/note/Note.ts"
import { keyDecision } from "./KeyDecision.ts"

/**
 * Says what happened to a contact's key and what can be done. Stands in the composer's place while sending is off.
 *
 * @fires kez-key-decision - What the user chose.
 */
@customElement("kez-key-change")
export class KeyChange extends LitElement {
  static override styles = [
    shared,
    css`
      p + p {
        margin-top: var(--space-2);
      }
      .title {
        font-weight: 700;
      }
      details {
        margin-top: var(--space-1);
        font-size: var(--text-small);
      }
      summary {
        display: list-item;
        width: fit-content;
        min-height: var(--target);
        align-content: center;
        cursor: pointer;
      }
      bdi {
        overflow-wrap: anywhere;
      }
    `
  ]

  @property({ attribute: false }) contact: Contact | undefined
  /** The name to speak of. */
  @property() name = ""
  /** Name of the home server. */
  @property() server = ""
  /** A decision is being carried out. */
  @property({ type: Boolean }) busy = false
  /** The numbers are on the same screen: no button that leads to them. */
  @property({ type: Boolean }) comparing = false
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en

  protected override render() {
    const { contact } = this
    if (contact === undefined) return nothing
    const { people } = this.texts
    const offered = contact.offered
    const isMoved = offered?.origin === "handed_over"
    const isForeign = offered !== undefined && !offered.primary.startsWith("ed25519:")
    const canAccept = offered !== undefined && !isForeign
    return html`<kez-note kind=${isMoved ? "warn" : "danger"}>
      ${this.#words(contact)} ${isForeign ? html`<p>${people.keyForeign}</p>` : nothing}
      ${
        contact.warning === undefined
          ? nothing
          : html`<details>
              <summary>${people.whatExactly}</summary>
              <bdi>${contact.warning}</bdi>
            </details>`
      }
      ${
        canAccept && !this.comparing
          ? html`<kez-button
              slot="actions"
              kind="primary"
              ?busy=${this.busy}
              @click=${() => this.dispatchEvent(keyDecision({ action: "compare" }))}
              >${people.compareNew}</kez-button
            >`
          : nothing
      }
      ${
        canAccept
          ? html`<kez-button
              slot="actions"
              ?busy=${this.busy}
              @click=${() =>
                this.dispatchEvent(keyDecision({ action: "accept", primary: offered.primary, compared: false }))}
              >${isMoved ? people.useNew : people.toldMe(this.name)}</kez-button
            >`
          : nothing
      }
      <kez-button slot="actions" ?busy=${this.busy} @click=${() => this.dispatchEvent(keyDecision({ action: "keep" }))}
        >${people.keepOld}</kez-button
      >
      <kez-button slot="actions" ?busy=${this.busy} @click=${() => this.dispatchEvent(keyDecision({ action: "block" }))}
        >${people.block}</kez-button
      >
    </kez-note>`
  }

  #words({ cause, offered }: Contact) {
    const { name, server } = this
    const { people } = this.texts
    if (offered?.origin === "handed_over") {
      return html`<p class="title">${people.keyMovedTitle(name)}</p>
        <p>${people.keyMovedText(name)}</p>`
    }
    if (offered !== undefined) {
      return html`<p class="title">${people.keyChangedTitle(name)}</p>
        <p>${people.keyUnexplained(name)}</p>
        <p>${people.keyChangedText(name, server)}</p>`
    }
    return cause?.chain !== undefined
      ? html`<p class="title">${people.keyTroubleTitle(name)}</p>
          <p>${people.keyTroubleText(name)}</p>`
      : html`<p class="title">${people.keyGoneTitle(name, server)}</p>
          <p>${people.keyGoneText(name)}</p>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-key-change": KeyChange
  }
}
