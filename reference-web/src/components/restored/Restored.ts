import { css, html, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import "../../elements/note/Note.ts"
import { shared } from "../../styles/shared.ts"
import { Step, stepStyles } from "../step/Step.ts"

/** How restoring goes: looking, failed, no name for these words, or back with its messages coming in. */
export type RestoreProgress =
  | { readonly _tag: "looking" }
  | { readonly _tag: "failed"; readonly detail: string }
  | { readonly _tag: "nothing" }
  | { readonly _tag: "back"; readonly handle: string; readonly taken: number; readonly of: number }

@customElement("kez-restored")
export class Restored extends Step {
  static override styles = [
    shared,
    stepStyles,
    css`
      progress {
        display: block;
        width: 100%;
        height: 0.5rem;
        margin-top: var(--space-5);
        border: 0;
        border-radius: 999px;
        overflow: hidden;
        background: var(--line);
        accent-color: var(--accent);
        appearance: none;
      }
      progress::-webkit-progress-bar {
        background: var(--line);
      }
      progress::-webkit-progress-value {
        background: var(--accent);
      }
      progress::-moz-progress-bar {
        background: var(--accent);
      }
      .said {
        margin-top: var(--space-2);
        font-variant-numeric: tabular-nums;
      }
    `
  ]

  @property() server = ""
  @property({ attribute: false }) progress: RestoreProgress = { _tag: "looking" }

  protected override render() {
    const { common, signUp } = this.texts
    const { progress } = this
    switch (progress._tag) {
      case "looking":
        return html`<h1 tabindex="-1">${signUp.restoring}</h1>
          <p class="lead" role="status">${signUp.restoringNote(this.server)}</p>`
      case "failed":
        return html`${this.back()}
          <h1 tabindex="-1">${signUp.restoreFailedTitle}</h1>
          ${this.problem(progress.detail)}
          <div class="actions">
            <kez-button kind="primary" @click=${() => this.emit("kez-retry")}>${common.retry}</kez-button>
          </div>`
      case "nothing":
        return html`<h1 tabindex="-1">${signUp.nothingTitle}</h1>
          <p class="lead">${signUp.nothing(this.server)}</p>
          <div class="actions">
            <kez-button kind="primary" @click=${() => this.emit("kez-sign-up")}>${signUp.nothingName}</kez-button>
            <kez-button @click=${() => this.emit("kez-back")}>${signUp.nothingWords}</kez-button>
          </div>`
      case "back": {
        const { handle, of, taken } = progress
        const busy = taken < of
        return html`<h1 tabindex="-1"><bdi>${signUp.restoredTitle(handle)}</bdi></h1>
          <p class="lead">${of > 0 && !busy ? signUp.restoredDone : signUp.restoredNote}</p>
          ${
            busy
              ? html`<progress aria-labelledby="said" max=${of} .value=${taken}></progress>
                  <p class="said" id="said">${signUp.restoredBusy(taken, of)}</p>`
              : nothing
          }
          <div class="actions">
            <kez-button kind="primary" @click=${() => this.emit("kez-done")}>${signUp.restoredOpen}</kez-button>
          </div>`
      }
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-restored": Restored
  }
}
