import { css, html, LitElement, nothing, type PropertyValues } from "lit"
import { customElement, property, query, state } from "lit/decorators.js"
import { live } from "lit/directives/live.js"
import { shared } from "../../styles/shared.ts"
import "../icon/Icon.ts"

/**
 * A labelled line of input, with a hint and an error that assistive technology reads with it.
 *
 * @fires input - The value changed; `value` has it.
 * @slot suffix - Shown inside the box after the text, such as `@kez.lat`.
 */
@customElement("kez-field")
export class Field extends LitElement {
  static override shadowRootOptions: ShadowRootInit = { ...LitElement.shadowRootOptions, delegatesFocus: true }
  static override styles = [
    shared,
    css`
      label {
        display: block;
        margin-bottom: var(--space-1);
        font-weight: 600;
      }
      .box {
        display: flex;
        align-items: stretch;
        min-height: max(var(--target), 2.75rem);
        border: 1px solid var(--edge);
        border-radius: var(--radius-input);
        background: var(--surface);
      }
      .box:focus-within {
        outline: 3px solid var(--focus);
        outline-offset: 1px;
      }
      :host([error]:not([error=""])) .box {
        border-color: var(--danger);
      }
      input {
        flex: 1;
        min-width: 0;
        padding: 0 var(--space-3);
        border: 0;
        border-radius: var(--radius-input);
        background: transparent;
        outline: none;
      }
      input:focus-visible {
        outline: none;
      }
      :host([code]) input {
        font-family: var(--mono);
      }
      .suffix {
        display: flex;
        align-items: center;
        padding-right: var(--space-3);
        color: var(--soft);
        overflow-wrap: anywhere;
      }
      button {
        display: grid;
        place-items: center;
        width: max(var(--target), 2.75rem);
        border: 0;
        border-radius: var(--radius-input);
        background: transparent;
        color: var(--soft);
        cursor: pointer;
      }
      .hint,
      .error {
        margin-top: var(--space-1);
        font-size: var(--text-small);
        color: var(--soft);
      }
      .error {
        color: var(--danger);
      }
    `
  ]

  @property() label = ""
  @property() value = ""
  /** Always readable below the box. */
  @property() hint = ""
  /** What is wrong and what would be right; takes the hint's place. */
  @property({ reflect: true }) error = ""
  @property() type: "text" | "password" | "search" = "text"
  @property() name = ""
  @property() autocomplete = "off"
  @property() placeholder = ""
  @property({ type: Boolean }) disabled = false
  /** Text that people compare or copy letter by letter. */
  @property({ type: Boolean, reflect: true }) code = false
  /** Labels of the button that shows what is typed in a password field. */
  @property() showLabel = ""
  @property() hideLabel = ""
  @state() private shown = false
  @query("input") readonly input!: HTMLInputElement

  protected override render() {
    const hidden = this.type === "password" && !this.shown
    const said = this.error === "" ? this.hint : this.error
    return html`<label id="label" for="input">${this.label}</label>
      <div class="box">
        <input
          id="input"
          type=${hidden ? "password" : this.type === "search" ? "search" : "text"}
          name=${this.name || nothing}
          autocomplete=${this.autocomplete as AutoFill}
          autocapitalize="none"
          autocorrect="off"
          spellcheck="false"
          placeholder=${this.placeholder || nothing}
          .value=${live(this.value)}
          ?disabled=${this.disabled}
          aria-invalid=${this.error === "" ? "false" : "true"}
          aria-describedby=${said === "" ? nothing : "said"}
          @input=${this.#input}
          @keydown=${this.#key}
        />
        <span class="suffix"><slot name="suffix"></slot></span>
        ${
          this.type === "password"
            ? html`<button
                type="button"
                aria-label=${this.shown ? this.hideLabel : this.showLabel}
                aria-describedby="label"
                @click=${() => (this.shown = !this.shown)}
              >
                <kez-icon name=${this.shown ? "hidden" : "eye"}></kez-icon>
              </button>`
            : nothing
        }
      </div>
      <p id="said" class=${this.error === "" ? "hint" : "error"} aria-live="polite" ?hidden=${said === ""}>${said}</p>`
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("type")) this.shown = false
  }

  #input(): void {
    this.value = this.input.value
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Enter" && !event.isComposing) this.closest("form")?.requestSubmit()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-field": Field
  }
}
