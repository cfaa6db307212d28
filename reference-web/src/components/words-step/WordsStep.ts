import { css, html } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { shared } from "../../styles/shared.ts"
import { Step, stepStyles } from "../step/Step.ts"
import "../words-grid/WordsGrid.ts"

/** The words to write down; going on is possible once they were shown or printed. */
@customElement("kez-words-step")
export class WordsStep extends Step {
  static override styles = [
    shared,
    stepStyles,
    css`
      :host {
        max-width: 44rem;
      }
      kez-words-grid {
        margin-top: var(--space-5);
      }
    `
  ]

  @property({ attribute: false }) words: ReadonlyArray<string> = []
  @property({ type: Boolean }) shown = false
  /** They were seen or printed before. */
  @property({ type: Boolean }) seen = false
  @state() private wasShown = false

  protected override render() {
    const { signUp } = this.texts
    return html`${this.back()}
      <h1 tabindex="-1">${signUp.wordsTitle}</h1>
      <p class="lead">${signUp.words}</p>
      <kez-words-grid .words=${this.words} .shown=${this.shown} @kez-shown=${this.#shown}></kez-words-grid>
      <div class="actions">
        <kez-button
          kind=${this.shown || this.wasShown || this.seen ? "primary" : "plain"}
          ?disabled=${!this.shown && !this.wasShown && !this.seen}
          @click=${() => this.emit("kez-next")}
          >${signUp.wordsWritten}</kez-button
        >
        <kez-button ?disabled=${this.words.length === 0} @click=${() => this.emit("kez-print")}
          ><kez-icon name="print"></kez-icon>${signUp.wordsPrint}</kez-button
        >
      </div>`
  }

  #shown(event: CustomEvent<boolean>): void {
    this.shown = event.detail
    this.wasShown ||= event.detail
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-words-step": WordsStep
  }
}
