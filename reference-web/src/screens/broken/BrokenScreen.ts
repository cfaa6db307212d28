import { consume } from "@lit/context"
import { css, html, LitElement, nothing } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { stepStyles } from "../../components/step/Step.ts"
import "../../components/confirm-dialog/ConfirmDialog.ts"
import { accountContext } from "../../context.ts"
import "../../elements/button/Button.ts"
import "../../elements/icon/Icon.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import type { AccountState, WebAccount } from "../../WebAccount.ts"

/** Why no account can be opened here, and what to do. */
@customElement("kez-broken-screen")
export class BrokenScreen extends LitElement {
  static override styles = [
    shared,
    stepStyles,
    css`
      :host {
        padding-top: max(var(--space-6), 12vh);
      }
      kez-icon {
        width: 2.5rem;
        height: 2.5rem;
        margin-bottom: var(--space-4);
        color: var(--warn);
      }
      details {
        margin-top: var(--space-6);
        color: var(--soft);
        font-size: var(--text-small);
      }
      summary {
        min-height: var(--target);
        align-content: center;
        cursor: pointer;
      }
      code {
        font-family: var(--mono);
        overflow-wrap: anywhere;
      }
    `
  ]

  @property({ attribute: false }) broken: Extract<AccountState, { _tag: "broken" }> | undefined
  @consume({ context: accountContext, subscribe: true }) @state() private account: WebAccount | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private loggingOut = false

  /** For the document's title. */
  get heading(): string {
    return this.#said[0]
  }

  get #said(): readonly [title: string, text: string] {
    const { common, signUp } = this.texts
    switch (this.broken?.reason) {
      case "insecure":
        return [common.insecureTitle, common.insecure]
      case "no_storage":
        return [common.noStorageTitle, common.noStorage]
      case "too_old":
        return [common.tooOldTitle, common.tooOld]
      case "full":
        return [signUp.fullTitle, signUp.full]
      case "newer":
        return [signUp.newerTitle, signUp.newer]
      case "not_started":
        return [signUp.notStartedTitle, signUp.notStarted]
      case "damaged":
      case undefined:
        return [common.damagedTitle, common.damaged]
    }
  }

  protected override render() {
    const { signUp } = this.texts
    const [title, text] = this.#said
    const reason = this.broken?.reason
    const detail = this.broken?.detail ?? ""
    return html`<main>
        <kez-icon name="warning"></kez-icon>
        <h1 tabindex="-1">${title}</h1>
        <p class="lead">${text}</p>
        <div class="actions">
          ${
            reason === "damaged"
              ? html`<kez-button kind="danger" @click=${() => (this.loggingOut = true)}>${signUp.logOut}</kez-button>`
              : reason === "full" || reason === "newer" || reason === "no_storage" || reason === "not_started"
                ? html`<kez-button kind="primary" @click=${() => location.reload()}>${signUp.reload}</kez-button>`
                : nothing
          }
        </div>
        ${
          detail === ""
            ? nothing
            : html`<details>
                <summary>${signUp.details}</summary>
                <code>${detail}</code>
              </details>`
        }
      </main>
      <kez-confirm-dialog
        heading=${signUp.logOut}
        text=${signUp.logOutLocked}
        action=${signUp.logOut}
        .open=${this.loggingOut}
        @kez-close=${() => (this.loggingOut = false)}
        @kez-done=${() => this.account?.logOut()}
      ></kez-confirm-dialog>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-broken-screen": BrokenScreen
  }
}
