import { css, html, type PropertyValues } from "lit"
import { customElement, property, query } from "lit/decorators.js"
import "../../elements/dialog/Dialog.ts"
import type { Dialog } from "../../elements/dialog/Dialog.ts"
import "../../elements/field/Field.ts"
import type { Field } from "../../elements/field/Field.ts"
import { shared } from "../../styles/shared.ts"
import { Step } from "../step/Step.ts"
import { username } from "../step/Username.ts"

/**
 * Asks for the passphrase of this browser.
 *
 * @fires kez-close - It was closed.
 * @fires kez-unlock - `detail` is the passphrase; the field has forgotten it.
 */
@customElement("kez-passphrase-dialog")
export class PassphraseDialog extends Step {
  static override styles = [
    shared,
    css`
      :host {
        display: contents;
      }
      kez-field {
        margin-top: var(--space-3);
      }
    `
  ]

  @property({ type: Boolean }) open = false
  @property() heading = ""
  @property() handle = ""
  @property({ type: Boolean }) busy = false
  /** Why it was not accepted. */
  @property() failed = ""
  @query("kez-dialog") private readonly dialog!: Dialog
  @query("kez-field") private readonly field!: Field

  protected override render() {
    const { common, settings, signUp } = this.texts
    return html`<kez-dialog
      .heading=${this.heading}
      .open=${this.open}
      closeLabel=${common.close}
      @kez-close=${this.#closed}
    >
      <form @submit=${this.#submit}>
        <p>${settings.wordsPassphrase}</p>
        ${username(this.handle)}
        <kez-field
          type="password"
          name="password"
          autocomplete="current-password"
          label=${signUp.passphrase}
          .error=${this.failed}
          .showLabel=${common.show}
          .hideLabel=${common.hide}
        ></kez-field>
      </form>
      <kez-button slot="actions" @click=${this.#closed}>${common.cancel}</kez-button>
      <kez-button slot="actions" kind="primary" ?busy=${this.busy} @click=${this.#submit}>${signUp.next}</kez-button>
    </kez-dialog>`
  }

  protected override updated(changed: PropertyValues<this>): void {
    if ((changed.has("open") && this.open) || (changed.has("failed") && this.failed !== "")) void this.#focus()
  }

  async #focus(): Promise<void> {
    await this.dialog.updateComplete
    this.field.focus()
  }

  readonly #closed = (): void => {
    this.field.value = ""
    this.dispatchEvent(new CustomEvent("kez-close"))
  }

  readonly #submit = (event: Event): void => {
    event.preventDefault()
    const passphrase = this.field.value
    if (this.busy || passphrase === "") return this.field.focus()
    this.field.value = ""
    this.emit("kez-unlock", passphrase)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-passphrase-dialog": PassphraseDialog
  }
}
