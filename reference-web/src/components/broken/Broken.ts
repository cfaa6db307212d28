import { css, html, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import { shared } from "../../styles/shared.ts"
import type { Texts } from "../../texts/Texts.ts"
import type { AccountState } from "@kez-chat/sdk/web-page"
import { Step, stepStyles } from "../step/Step.ts"

type Reason = Extract<AccountState, { _tag: "broken" }>["reason"]

/** The title of a reason, and what to do. */
export const brokenTexts = ({ common, signUp }: Texts, reason: Reason): readonly [title: string, text: string] => {
  switch (reason) {
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
    case "cleared":
      return [common.clearedTitle, common.cleared]
    case "damaged":
      return [common.damagedTitle, common.damaged]
  }
}

/** Why no account can be opened here, and what to do. */
@customElement("kez-broken")
export class Broken extends Step {
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

  @property() reason: Reason = "damaged"
  @property() detail = ""

  protected override render() {
    const { signUp } = this.texts
    const { detail, reason } = this
    const [title, text] = brokenTexts(this.texts, reason)
    const reload = ["full", "newer", "no_storage", "not_started", "cleared"].includes(reason)
    return html`<kez-icon name="warning"></kez-icon>
      <h1 tabindex="-1">${title}</h1>
      <p class="lead">${text}</p>
      <div class="actions">
        ${
          reason === "damaged"
            ? html`<kez-button kind="danger" @click=${() => this.emit("kez-log-out")}>${signUp.logOut}</kez-button>`
            : reload
              ? html`<kez-button kind="primary" @click=${() => this.emit("kez-retry")}>${signUp.reload}</kez-button>`
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
      }`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-broken": Broken
  }
}
