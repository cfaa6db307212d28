import { css, html, LitElement, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import { live } from "lit/directives/live.js"
import { shared } from "../../styles/shared.ts"

/**
 * Something that is on or off, at once.
 *
 * @fires change - It was switched; `checked` has the new state.
 */
@customElement("kez-switch")
export class Switch extends LitElement {
  static override shadowRootOptions: ShadowRootInit = { ...LitElement.shadowRootOptions, delegatesFocus: true }
  static override styles = [
    shared,
    css`
      label {
        display: flex;
        align-items: flex-start;
        gap: var(--space-4);
        min-height: max(var(--target), 2.5rem);
        padding: var(--space-2) 0;
        cursor: pointer;
      }
      .text {
        flex: 1;
        min-width: 0;
      }
      .label {
        display: block;
        font-weight: 600;
      }
      .hint {
        display: block;
        color: var(--soft);
        font-size: var(--text-small);
      }
      input {
        appearance: none;
        flex: none;
        position: relative;
        width: 2.75rem;
        height: 1.625rem;
        margin: 0;
        border: 1.5px solid var(--edge);
        border-radius: 999px;
        background: var(--surface);
        cursor: inherit;
      }
      input::before {
        content: "";
        position: absolute;
        inset: 0.1875rem auto auto 0.1875rem;
        width: 1.0625rem;
        height: 1.0625rem;
        border-radius: 50%;
        background: var(--edge);
        transition: transform var(--quick);
      }
      input:checked {
        border-color: var(--accent);
        background: var(--accent);
      }
      input:checked::before {
        background: var(--on-accent);
        transform: translateX(1.125rem);
      }
      :host([disabled]) label {
        cursor: default;
        opacity: 0.6;
      }
      @media (forced-colors: active) {
        input {
          appearance: auto;
        }
        input::before {
          content: none;
        }
      }
    `
  ]

  @property() label = ""
  @property() hint = ""
  @property({ type: Boolean }) checked = false
  @property({ type: Boolean, reflect: true }) disabled = false

  protected override render() {
    return html`<label>
      <span class="text">
        <span class="label" id="label">${this.label}</span>
        ${this.hint === "" ? nothing : html`<span class="hint" id="hint">${this.hint}</span>`}
      </span>
      <input
        type="checkbox"
        role="switch"
        aria-labelledby="label"
        aria-describedby=${this.hint === "" ? nothing : "hint"}
        .checked=${live(this.checked)}
        ?disabled=${this.disabled}
        @change=${this.#change}
      />
    </label>`
  }

  #change(event: Event): void {
    this.checked = (event.target as HTMLInputElement).checked
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }))
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-switch": Switch
  }
}
