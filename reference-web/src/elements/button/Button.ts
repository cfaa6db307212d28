import { html, LitElement, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import { shared } from "../../styles/shared.ts"
import { styles } from "./Button.styles.ts"

/**
 * A button. Its content is the label; `click` bubbles as from a native one.
 *
 * @slot - The label, with an icon before it where that helps.
 */
@customElement("kez-button")
export class Button extends LitElement {
  static override styles = [shared, styles]
  static override shadowRootOptions: ShadowRootInit = { ...LitElement.shadowRootOptions, delegatesFocus: true }

  /** `primary` at most once on a screen; `danger` for what cannot be undone; `quiet` beside others. */
  @property({ reflect: true }) kind: "plain" | "primary" | "danger" | "quiet" = "plain"
  @property({ type: Boolean, reflect: true }) disabled = false
  /** While its action runs: it keeps its place and its focus but ignores clicks. */
  @property({ type: Boolean, reflect: true }) busy = false
  /** The name for assistive technology, where the content is an icon alone. */
  @property() label = ""
  /** `submit` submits the form that contains this element. */
  @property() type: "button" | "submit" = "button"

  protected override render() {
    return html`<button
      type="button"
      ?disabled=${this.disabled}
      aria-disabled=${this.busy ? "true" : "false"}
      aria-label=${this.label || nothing}
      @click=${this.#click}
    >
      <slot></slot>
    </button>`
  }

  #click(event: Event): void {
    if (this.busy) return event.stopImmediatePropagation()
    if (this.type === "submit") this.closest("form")?.requestSubmit()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-button": Button
  }
}
