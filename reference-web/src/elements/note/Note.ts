import { css, html, LitElement } from "lit"
import { customElement, property } from "lit/decorators.js"
import { shared } from "../../styles/shared.ts"
import "../icon/Icon.ts"

/**
 * Something to know, or to decide, about what is beside it. With `live` it is announced when it appears: `danger` at
 * once, the others when the reader pauses.
 *
 * @slot - The text: what happened, to what, and what to do.
 * @slot actions - Buttons.
 */
@customElement("kez-note")
export class Note extends LitElement {
  static override styles = [
    shared,
    css`
      :host {
        border-radius: var(--radius-card);
        padding: var(--space-3) var(--space-4);
        background: var(--sunken);
      }
      :host([kind="warn"]) {
        background: var(--warn-soft);
        color: var(--warn);
      }
      :host([kind="danger"]) {
        background: var(--danger-soft);
        color: var(--danger);
      }
      .row {
        display: flex;
        gap: var(--space-3);
      }
      kez-icon {
        margin-top: 0.125rem;
      }
      .text {
        min-width: 0;
        overflow-wrap: anywhere;
      }
      ::slotted(p) {
        margin: 0;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
        margin-top: var(--space-3);
        color: var(--ink);
      }
      /* Its words, not the box that shows under the pointer, stand on the edge of the text. */
      ::slotted(kez-button[kind="quiet"]:first-of-type) {
        margin-left: var(--space-4);
      }
      .actions.none {
        display: none;
      }
      @media (forced-colors: active) {
        :host {
          border: 1px solid CanvasText;
        }
      }
    `
  ]

  @property({ reflect: true }) kind: "info" | "warn" | "danger" | "good" = "info"
  @property({ type: Boolean }) live = false

  protected override render() {
    const icon = this.kind === "info" ? "info" : this.kind === "good" ? "check" : "warning"
    return html`<div role=${this.live ? (this.kind === "danger" ? "alert" : "status") : null}>
      <div class="row">
        <kez-icon name=${icon}></kez-icon>
        <div class="text"><slot></slot></div>
      </div>
      <div class="actions none"><slot name="actions" @slotchange=${this.#actions}></slot></div>
    </div>`
  }

  #actions(event: Event): void {
    const slot = event.target as HTMLSlotElement
    slot.parentElement!.classList.toggle("none", slot.assignedElements().length === 0)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-note": Note
  }
}
