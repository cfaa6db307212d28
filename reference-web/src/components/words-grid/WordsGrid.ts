import { consume } from "@lit/context"
import { css, html, LitElement } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../elements/button/Button.ts"
import "../../elements/icon/Icon.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"

/**
 * The words with their numbers, hidden until the person asks, and hidden again when the page is left. While they are
 * hidden they are not in the document.
 *
 * @fires kez-shown - They were shown (`detail` true) or hidden.
 */
@customElement("kez-words-grid")
export class WordsGrid extends LitElement {
  static override styles = [
    shared,
    css`
      .box {
        position: relative;
        container-type: inline-size;
        border: 1px solid var(--line);
        border-radius: var(--radius-card);
        background: var(--surface);
      }
      ol {
        display: grid;
        grid-auto-flow: column;
        grid-template: repeat(6, auto) / repeat(4, 1fr);
        gap: var(--space-1) var(--space-4);
        margin: 0;
        padding: var(--space-4);
        list-style: none;
      }
      li {
        display: flex;
        align-items: baseline;
        gap: var(--space-2);
        min-height: 2rem;
        font-family: var(--mono);
        font-variant-numeric: tabular-nums;
      }
      .number {
        flex: none;
        width: 1.5em;
        color: var(--faint);
        font-size: var(--text-small);
        text-align: right;
      }
      .shape {
        visibility: hidden;
      }
      .cover {
        position: absolute;
        inset: 0;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: var(--space-3);
        padding: var(--space-4);
        text-align: center;
      }
      .cover p {
        max-width: 20rem;
        color: var(--soft);
      }
      @container (max-width: 32rem) {
        ol {
          grid-template: repeat(12, auto) / repeat(2, 1fr);
        }
      }
    `
  ]

  @property({ attribute: false }) words: ReadonlyArray<string> = []
  @property({ type: Boolean }) shown = false
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en

  override connectedCallback(): void {
    super.connectedCallback()
    document.addEventListener("visibilitychange", this.#left)
    addEventListener("pagehide", this.#left)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    document.removeEventListener("visibilitychange", this.#left)
    removeEventListener("pagehide", this.#left)
  }

  readonly #left = (event: Event): void => {
    if (event.type === "pagehide" || document.hidden) this.#show(false)
  }

  #show(shown: boolean): void {
    if (this.shown === shown) return
    this.shown = shown
    this.dispatchEvent(new CustomEvent("kez-shown", { detail: shown }))
  }

  protected override render() {
    const { signUp } = this.texts
    const count = this.words.length === 0 ? 24 : this.words.length
    return html`<div class="box">
      ${
        this.shown
          ? html`<ol translate="no">
              ${this.words.map((word, index) => html`<li><span class="number">${index + 1}</span>${word}</li>`)}
            </ol>`
          : html`<ol class="shape" aria-hidden="true">
                ${Array.from({ length: count }, () => html`<li></li>`)}
              </ol>
              <div class="cover">
                <kez-button kind="primary" ?disabled=${this.words.length === 0} @click=${() => this.#show(true)}>
                  <kez-icon name="eye"></kez-icon>${signUp.wordsShow}
                </kez-button>
                <p>${signUp.wordsHidden}</p>
              </div>`
      }
    </div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-words-grid": WordsGrid
  }
  interface HTMLElementEventMap {
    "kez-shown": CustomEvent<boolean>
  }
}
