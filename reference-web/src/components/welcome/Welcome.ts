import { css, html, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import { hashOf } from "../../controllers/Route.ts"
import { shared } from "../../styles/shared.ts"
import { operatorLinks } from "../name-step/OperatorLinks.ts"
import { Step, stepStyles } from "../step/Step.ts"

/** The first screen: what this is, and the two ways in. */
@customElement("kez-welcome")
export class Welcome extends Step {
  static override styles = [
    shared,
    stepStyles,
    css`
      :host {
        padding-top: max(var(--space-6), 14vh);
      }
      .brand {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        margin-bottom: var(--space-5);
        font-size: var(--text-name);
        font-weight: 600;
      }
      svg {
        flex: none;
        width: 3.5rem;
        height: 1.5rem;
        color: var(--accent);
      }
      h1 {
        font-size: clamp(2rem, 9vw, var(--text-welcome));
        text-wrap: balance;
      }
      .lead {
        font-size: var(--text-name);
      }
      .more {
        margin-top: var(--space-6);
        font-size: var(--text-small);
      }
    `
  ]

  /** Name of the home server. */
  @property() server = ""
  /** The handle that this browser held before its storage was cleared. */
  @property() lost = ""
  @property({ type: Boolean }) unreachable = false
  /** The home takes no new accounts. */
  @property({ type: Boolean }) closed = false
  /** How to reach its operator, as a URL. */
  @property() contact = ""

  protected override render() {
    const { common, signUp } = this.texts
    const lost = this.lost !== ""
    const signUpButton = html`<kez-button kind=${lost ? "plain" : "primary"} @click=${() => this.emit("kez-sign-up")}
      >${lost ? signUp.lostOther : signUp.createAccount}</kez-button
    >`
    const restoreButton = html`<kez-button kind=${lost ? "primary" : "plain"} @click=${() => this.emit("kez-restore")}
      >${lost ? signUp.enterWords : signUp.haveWords}</kez-button
    >`
    return html`<p class="brand">
        <svg viewBox="0 4 56 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="5">
          <rect x="4" y="8" width="26" height="16" rx="8" />
          <rect x="26" y="8" width="26" height="16" rx="8" />
        </svg>
        ${common.appName}
      </p>
      <h1 tabindex="-1">${lost ? signUp.lostTitle(this.lost) : signUp.welcomeTitle}</h1>
      <p class="lead">${lost ? signUp.lost : signUp.welcome(this.server)}</p>
      ${this.unreachable ? html`<kez-note kind="warn" live>${common.unreachable(this.server)}</kez-note>` : nothing}
      ${
        this.closed
          ? html`<kez-note>${signUp.closed(this.server)} ${operatorLinks({ contact: this.contact }, signUp)}</kez-note>`
          : nothing
      }
      <div class="actions">
        ${this.closed ? restoreButton : lost ? [restoreButton, signUpButton] : [signUpButton, restoreButton]}
      </div>
      <p class="more"><a href=${hashOf({ screen: "about" })}>${signUp.protection}</a></p>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-welcome": Welcome
  }
}
