import { css, html, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import "../../elements/copy/Copy.ts"
import "../../elements/note/Note.ts"
import "../../elements/qr/Qr.ts"
import { shared } from "../../styles/shared.ts"
import { nameOf, Step, stepStyles } from "../step/Step.ts"

/** Whether something is offered, and its outcome. */
export type Offer = "none" | "offer" | "busy" | "done" | "failed"

/** The account is there: the line to give to others, and what makes it more comfortable and safer. */
@customElement("kez-ready")
export class Ready extends Step {
  static override styles = [
    shared,
    stepStyles,
    css`
      .share {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--space-5);
        margin-top: var(--space-5);
      }
      .share > div {
        flex: 1 1 16rem;
        display: grid;
        gap: var(--space-3);
      }
      .share p {
        color: var(--soft);
      }
      kez-qr {
        flex: none;
        width: 9rem;
      }
      .offers {
        display: grid;
        gap: var(--space-3);
        margin-top: var(--space-6);
      }
      .offers kez-note {
        margin-top: 0;
      }
      .offer {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: var(--space-1) var(--space-4);
        align-items: center;
        padding: var(--space-4);
        border: 1px solid var(--line);
        border-radius: var(--radius-card);
        background: var(--surface);
      }
      .offer h2 {
        font-size: var(--text-name);
      }
      .offer p {
        grid-column: 1;
        color: var(--soft);
        font-size: var(--text-small);
      }
      .offer kez-button {
        grid-area: 1 / 2 / 3 / 3;
      }
      @container (max-width: 28rem) {
        .offer {
          grid-template-columns: 1fr;
        }
        .offer kez-button {
          grid-area: auto;
          margin-top: var(--space-2);
        }
        .share kez-qr {
          margin-inline: auto;
        }
      }
    `
  ]

  @property() handle = ""
  @property() passkey: Offer = "none"
  @property() storage: Offer = "none"
  /** Safari drops what pages store unless they are on the Home Screen. */
  @property({ type: Boolean }) homeScreen = false

  protected override render() {
    const { common, signUp } = this.texts
    const line = signUp.shareLine(this.handle)
    return html`<h1 tabindex="-1"><bdi>${signUp.readyTitle(nameOf(this.handle))}</bdi></h1>
      <div class="share">
        <div>
          <p>${signUp.shareLabel}</p>
          <kez-copy text=${line} label=${common.copy} copiedLabel=${common.copied}></kez-copy>
        </div>
        <kez-qr text=${this.handle} label=${signUp.qrLabel(this.handle)}></kez-qr>
      </div>
      <div class="actions">
        <kez-button kind="primary" @click=${() => this.emit("kez-add-contact")}>${signUp.addContact}</kez-button>
        <kez-button @click=${() => this.emit("kez-done")}>${signUp.later}</kez-button>
      </div>
      <div class="offers">
        ${this.#offer(this.passkey, signUp.passkeyTitle, signUp.passkey, signUp.passkeyAdd, "kez-passkey", {
          done: signUp.passkeyAdded,
          failed: signUp.passkeyFailed
        })}
        ${this.#offer(this.storage, signUp.storageTitle, signUp.storage, signUp.storageKeep, "kez-persist", {
          done: signUp.storageKept,
          failed: signUp.storageRefused
        })}
        ${this.homeScreen ? html`<kez-note kind="warn">${signUp.homeScreen}</kez-note>` : nothing}
      </div>`
  }

  #offer(
    offer: Offer,
    title: string,
    text: string,
    action: string,
    event: "kez-passkey" | "kez-persist",
    outcome: { readonly done: string; readonly failed: string }
  ) {
    if (offer === "none") return nothing
    if (offer === "done" || offer === "failed")
      return html`<kez-note live kind=${offer === "done" ? "good" : "info"}>${outcome[offer]}</kez-note>`
    return html`<div class="offer">
      <h2>${title}</h2>
      <p>${text}</p>
      <kez-button ?busy=${offer === "busy"} @click=${() => this.emit(event)}>${action}</kez-button>
    </div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-ready": Ready
  }
}
