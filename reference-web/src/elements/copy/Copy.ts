import { css, html, LitElement, nothing } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { shared } from "../../styles/shared.ts"
import "../icon/Icon.ts"

/** How long the button says that it copied, in milliseconds. */
const saidMillis = 2000

/** A text to copy, such as a command or a key, with a button that copies it. */
@customElement("kez-copy")
export class Copy extends LitElement {
  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        align-items: stretch;
        border: 1px solid var(--line);
        border-radius: var(--radius-input);
        background: var(--sunken);
      }
      code {
        flex: 1;
        min-width: 0;
        padding: var(--space-2) var(--space-3);
        font: var(--text-small) / 1.6 var(--mono);
        overflow-wrap: anywhere;
        user-select: all;
        align-self: center;
      }
      :host([short]) code {
        max-height: 6.5rem;
        overflow-y: auto;
        align-self: stretch;
        white-space: pre-wrap;
      }
      button {
        display: inline-flex;
        align-items: center;
        gap: var(--space-1);
        min-width: var(--target);
        min-height: max(var(--target), 2.25rem);
        padding: 0 var(--space-3);
        border: 0;
        border-left: 1px solid var(--line);
        border-radius: 0 var(--radius-input) var(--radius-input) 0;
        background: transparent;
        color: var(--accent);
        font-weight: 600;
        font-size: var(--text-small);
        cursor: pointer;
      }
    `
  ]

  @property() text = ""
  /** A long text that nobody reads: only a few lines of it are seen at once. */
  @property({ type: Boolean, reflect: true }) short = false
  @property() label = "Copy"
  @property() copiedLabel = "Copied"
  @state() private copied = false
  #timer: ReturnType<typeof setTimeout> | undefined

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
  }

  protected override render() {
    return html`<code id="text" dir="ltr" tabindex=${this.short ? 0 : nothing}>${this.text}</code>
      <button type="button" aria-describedby="text" @click=${this.#copy}>
        <kez-icon name=${this.copied ? "check" : "copy"}></kez-icon>
        <span aria-live="polite">${this.copied ? this.copiedLabel : this.label}</span>
      </button>`
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.text)
    } catch {
      // Without permission the text is selected, and the person copies it.
      getSelection()?.selectAllChildren(this.renderRoot.querySelector("code")!)
      return
    }
    this.copied = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => (this.copied = false), saidMillis)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-copy": Copy
  }
}
