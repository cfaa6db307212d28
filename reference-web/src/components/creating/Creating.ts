import { css, html, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import "../../elements/note/Note.ts"
import { shared } from "../../styles/shared.ts"
import { Step, stepStyles } from "../step/Step.ts"

/** The account is made, in three steps that tick. */
@customElement("kez-creating")
export class Creating extends Step {
  static override styles = [
    shared,
    stepStyles,
    css`
      ol {
        display: grid;
        gap: var(--space-3);
        margin: var(--space-5) 0 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        color: var(--soft);
      }
      li.done,
      li.busy {
        color: var(--ink);
      }
      li.failed {
        color: var(--danger);
      }
      .lead {
        margin-top: var(--space-5);
      }
      .sign {
        display: grid;
        place-items: center;
        flex: none;
        width: 2rem;
        height: 2rem;
        border: 1.5px solid var(--edge);
        border-radius: 50%;
      }
      .done .sign {
        border-color: var(--accent);
        background: var(--accent);
        color: var(--on-accent);
      }
      .failed .sign {
        border-color: currentColor;
      }
      .busy .sign {
        border-color: var(--accent);
        border-right-color: transparent;
        animation: turn 900ms linear infinite;
      }
      @keyframes turn {
        to {
          transform: rotate(1turn);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .busy .sign {
          animation: none;
        }
      }
    `
  ]

  @property() handle = ""
  @property() server = ""
  /** How many of the three steps are done. */
  @property({ type: Number }) done = 0
  /** Why the step after those did not succeed. */
  @property() failed = ""
  /** Why another name or invite is needed: somebody took this name, the server gives it to nobody, or refuses the invite. */
  @property() unavailable: "" | "taken" | "refused" | "invite" = ""

  protected override render() {
    const { common, signUp } = this.texts
    const steps = [signUp.creatingSealed, signUp.creatingRegistered(this.server), signUp.creatingPublished]
    const broken = this.failed !== "" || this.unavailable !== ""
    return html`<h1 tabindex="-1"><bdi>${signUp.creatingTitle(this.handle)}</bdi></h1>
      <div role="status">
        <ol>
          ${steps.map((text, index) => {
            const state = index < this.done ? "done" : index > this.done ? "waiting" : broken ? "failed" : "busy"
            const said = {
              done: signUp.creatingDone,
              waiting: signUp.creatingWaiting,
              busy: signUp.creatingBusy,
              failed: signUp.creatingFailed
            }[state]
            return html`<li class=${state}>
              <span class="sign"
                >${
                  state === "done"
                    ? html`<kez-icon name="check"></kez-icon>`
                    : state === "failed"
                      ? html`<kez-icon name="close"></kez-icon>`
                      : nothing
                }</span
              >
              <span>${text}<span class="visually-hidden">, ${said}</span></span>
            </li>`
          })}
        </ol>
      </div>
      ${
        this.unavailable !== ""
          ? html`<kez-note kind="danger" live>
              ${
                {
                  taken: signUp.creatingTaken,
                  refused: signUp.creatingRefused(this.server),
                  invite: signUp.creatingInvite(this.server)
                }[this.unavailable]
              }
              <kez-button slot="actions" @click=${() => this.emit("kez-back")}
                >${this.unavailable === "invite" ? signUp.enterOther : signUp.chooseOther}</kez-button
              >
            </kez-note>`
          : this.failed !== ""
            ? html`<kez-note kind="danger" live>
                ${common.failed(this.failed)}
                <kez-button slot="actions" @click=${() => this.emit("kez-retry")}>${common.retry}</kez-button>
              </kez-note>`
            : html`<p class="lead">${this.done > 0 ? signUp.creatingNote : ""}</p>`
      }`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-creating": Creating
  }
}
