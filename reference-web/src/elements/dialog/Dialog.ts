import { css, html, LitElement, type PropertyValues } from "lit"
import { customElement, property, query } from "lit/decorators.js"
import { shared } from "../../styles/shared.ts"
import "../icon/Icon.ts"

/**
 * A modal dialog on the browser's own: it holds the focus, and Escape closes it.
 *
 * @fires kez-close - It was closed, by Escape, the close button or a click beside it.
 * @slot - Content.
 * @slot actions - Buttons, the safe one first.
 */
@customElement("kez-dialog")
export class Dialog extends LitElement {
  static override styles = [
    shared,
    css`
      dialog {
        width: min(34rem, calc(100vw - 2 * var(--space-4)));
        max-height: calc(100dvh - 2 * var(--space-4));
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius-card);
        background: var(--surface);
        color: var(--ink);
        box-shadow: 0 12px 48px rgb(0 0 0 / 0.25);
        overflow: auto;
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 0.45);
      }
      header {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        padding: var(--space-4) var(--space-4) 0 var(--space-5);
      }
      h2 {
        flex: 1;
      }
      button {
        display: grid;
        place-items: center;
        width: max(var(--target), 2.5rem);
        height: max(var(--target), 2.5rem);
        border: 0;
        border-radius: 50%;
        background: transparent;
        cursor: pointer;
      }
      button:hover {
        background: var(--sunken);
      }
      .content {
        padding: var(--space-3) var(--space-5) var(--space-5);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: var(--space-2);
        padding: 0 var(--space-5) var(--space-5);
      }
      .actions.none {
        display: none;
      }
    `
  ]

  @property({ type: Boolean, reflect: true }) open = false
  @property() heading = ""
  /** Name of the close button. */
  @property() closeLabel = "Close"
  @query("dialog") readonly dialog!: HTMLDialogElement

  protected override render() {
    return html`<dialog aria-labelledby="heading" @close=${this.#closed} @click=${this.#click}>
      <header>
        <h2 id="heading">${this.heading}</h2>
        <button type="button" aria-label=${this.closeLabel} @click=${() => this.dialog.close()}>
          <kez-icon name="close"></kez-icon>
        </button>
      </header>
      <div class="content"><slot></slot></div>
      <div class="actions none"><slot name="actions" @slotchange=${this.#actions}></slot></div>
    </dialog>`
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("open")) return
    if (this.open && !this.dialog.open) this.dialog.showModal()
    if (!this.open && this.dialog.open) this.dialog.close()
  }

  #closed(): void {
    this.open = false
    this.dispatchEvent(new CustomEvent("kez-close"))
  }

  #click(event: MouseEvent): void {
    if (event.target === this.dialog && event.detail > 0) {
      const { bottom, left, right, top } = this.dialog.getBoundingClientRect()
      const { clientX: x, clientY: y } = event
      if (x < left || x > right || y < top || y > bottom) this.dialog.close()
    }
  }

  #actions(event: Event): void {
    const slot = event.target as HTMLSlotElement
    slot.parentElement!.classList.toggle("none", slot.assignedElements().length === 0)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-dialog": Dialog
  }
  interface HTMLElementEventMap {
    "kez-close": CustomEvent<void>
  }
}
