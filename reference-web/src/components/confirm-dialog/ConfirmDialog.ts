import { css, html, nothing, type PropertyValues } from "lit"
import { customElement, property, query, state } from "lit/decorators.js"
import "../../elements/dialog/Dialog.ts"
import type { Dialog } from "../../elements/dialog/Dialog.ts"
import "../../elements/field/Field.ts"
import type { Field } from "../../elements/field/Field.ts"
import { shared } from "../../styles/shared.ts"
import { Step } from "../step/Step.ts"

/**
 * Confirming what cannot be undone: with `type`, by typing it.
 *
 * @fires kez-close - It was closed.
 * @fires kez-done - It was confirmed.
 */
@customElement("kez-confirm-dialog")
export class ConfirmDialog extends Step {
  static override styles = [
    shared,
    css`
      :host {
        display: contents;
      }
      p + p,
      kez-field,
      kez-note {
        margin-top: var(--space-3);
      }
    `
  ]

  @property({ type: Boolean }) open = false
  @property() heading = ""
  @property() text = ""
  @property() more = ""
  /** What the button says. */
  @property() action = ""
  /** What must be typed, such as the handle. */
  @property() type = ""
  @property({ type: Boolean }) busy = false
  @property() failed = ""
  @state() private differs = false
  @query("kez-dialog") private readonly dialog!: Dialog
  @query("kez-field") private readonly field!: Field | null

  protected override render() {
    const { common, signUp } = this.texts
    return html`<kez-dialog
      .heading=${this.heading}
      .open=${this.open}
      closeLabel=${common.close}
      @kez-close=${this.#closed}
    >
      <form @submit=${this.#submit}>
        <p>${this.text}</p>
        ${this.more === "" ? nothing : html`<p>${this.more}</p>`}
        ${
          this.type === ""
            ? nothing
            : html`<kez-field
                label=${signUp.logOutType(this.type)}
                .error=${this.differs ? signUp.logOutDiffers : ""}
                @input=${() => (this.differs = false)}
              ></kez-field>`
        }
        ${this.problem(this.failed)}
      </form>
      <kez-button slot="actions" @click=${this.#closed}>${signUp.stay}</kez-button>
      <kez-button slot="actions" kind="danger" ?busy=${this.busy} @click=${this.#confirm}>${this.action}</kez-button>
    </kez-dialog>`
  }

  protected override async updated(changed: PropertyValues<this>): Promise<void> {
    if (!changed.has("open") || !this.open) return
    await this.dialog.updateComplete
    this.field?.focus()
  }

  readonly #closed = (): void => {
    this.differs = false
    if (this.field !== null) this.field.value = ""
    this.dispatchEvent(new CustomEvent("kez-close"))
  }

  #submit(event: Event): void {
    event.preventDefault()
    this.#confirm()
  }

  readonly #confirm = (): void => {
    if (this.busy) return
    this.differs = this.type !== "" && this.field?.value.trim().toLowerCase() !== this.type.toLowerCase()
    if (this.differs) return this.field?.focus()
    this.emit("kez-done")
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-confirm-dialog": ConfirmDialog
  }
}
