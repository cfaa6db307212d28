import { css, html, LitElement, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import { live } from "lit/directives/live.js"
import { shared } from "../../styles/shared.ts"

interface Option {
  readonly value: string
  readonly label: string
  readonly hint?: string
}

/**
 * One of a few, as radio buttons.
 *
 * @fires change - Another one was chosen; `value` has it.
 */
@customElement("kez-choice")
export class Choice extends LitElement {
  static override styles = [
    shared,
    css`
      fieldset {
        margin: 0;
        padding: 0;
        border: 0;
      }
      legend {
        padding: 0;
        margin-bottom: var(--space-2);
        font-weight: 600;
      }
      label {
        display: flex;
        gap: var(--space-3);
        min-height: max(var(--target), 2.25rem);
        padding: var(--space-1) 0;
        cursor: pointer;
      }
      input {
        flex: none;
        width: 1.25rem;
        height: 1.25rem;
        margin: 0.125rem 0 0;
        accent-color: var(--accent);
      }
      .hint {
        display: block;
        color: var(--soft);
        font-size: var(--text-small);
      }
    `
  ]

  @property() label = ""
  @property({ attribute: false }) options: ReadonlyArray<Option> = []
  @property() value = ""

  protected override render() {
    return html`<fieldset>
      <legend>${this.label}</legend>
      ${this.options.map(
        ({ hint, label, value }) =>
          html`<label>
            <input
              type="radio"
              name="choice"
              .checked=${live(value === this.value)}
              @change=${() => this.#choose(value)}
            />
            <span>${label}${hint === undefined ? nothing : html`<span class="hint">${hint}</span>`}</span>
          </label>`
      )}
    </fieldset>`
  }

  #choose(value: string): void {
    this.value = value
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }))
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-choice": Choice
  }
}
