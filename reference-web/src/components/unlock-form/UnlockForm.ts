import { css, html, nothing } from "lit"
import { customElement, property, query } from "lit/decorators.js"
import "../../elements/field/Field.ts"
import type { Field } from "../../elements/field/Field.ts"
import "../../elements/mark/Mark.ts"
import "../../elements/note/Note.ts"
import { shared } from "../../styles/shared.ts"
import { nameOf, Step, stepStyles } from "../step/Step.ts"
import { username } from "../step/Username.ts"

export type UnlockProblem = "" | "wrong" | "damaged" | "passkey" | { readonly detail: string }

/** Opening the account of this browser, by passphrase or passkey. */
@customElement("kez-unlock-form")
export class UnlockForm extends Step {
  static override styles = [
    shared,
    stepStyles,
    css`
      :host {
        max-width: 28rem;
        padding-top: max(var(--space-5), 10vh);
      }
      header {
        display: grid;
        justify-items: start;
        gap: var(--space-4);
      }
      .handle {
        color: var(--soft);
      }
      .actions {
        margin-top: 0;
      }
      .others {
        display: flex;
        flex-direction: column;
        align-items: flex-start;
        margin: var(--space-6) 0 0 calc(-1 * var(--space-4));
      }
    `
  ]

  @property() handle = ""
  @property() primary = ""
  @property({ type: Boolean }) passkey = false
  @property({ type: Boolean }) busy = false
  @property({ attribute: false }) problemFound: UnlockProblem = ""
  @query("kez-field") private readonly field!: Field

  protected override render() {
    const { common, signUp } = this.texts
    const damaged = this.problemFound === "damaged"
    return html`<header>
        <kez-mark large .primary=${this.primary}></kez-mark>
        <div>
          <h1 tabindex="-1"><bdi>${signUp.unlockTitle(nameOf(this.handle))}</bdi></h1>
          <p class="handle"><bdi>${this.handle}</bdi></p>
        </div>
      </header>
      ${
        damaged
          ? html`<kez-note kind="danger" live
              >${signUp.unlockDamaged}<kez-button slot="actions" @click=${() => this.emit("kez-restore")}
                >${signUp.enterWords}</kez-button
              ></kez-note
            >`
          : html`<form class="fields" @submit=${this.#submit}>
              ${username(this.handle)}
              <kez-field
                type="password"
                name="password"
                autocomplete="current-password"
                label=${signUp.passphrase}
                .error=${this.problemFound === "wrong" ? signUp.unlockWrong : ""}
                .showLabel=${common.show}
                .hideLabel=${common.hide}
              ></kez-field>
              <div class="actions">
                <kez-button kind="primary" type="submit" ?busy=${this.busy}
                  >${this.busy ? signUp.unlocking : signUp.unlock}</kez-button
                >
                ${
                  this.passkey
                    ? html`<kez-button ?busy=${this.busy} @click=${() => this.emit("kez-passkey")}
                        ><kez-icon name="key"></kez-icon>${signUp.unlockPasskey}</kez-button
                      >`
                    : nothing
                }
              </div>
            </form>`
      }
      ${this.problemFound === "passkey" ? html`<kez-note live>${signUp.unlockPasskeyFailed}</kez-note>` : nothing}
      ${typeof this.problemFound === "object" ? this.problem(common.failed(this.problemFound.detail)) : nothing}
      <div class="others">
        ${
          damaged
            ? nothing
            : html`<kez-button kind="quiet" @click=${() => this.emit("kez-restore")}>${signUp.useWords}</kez-button>`
        }
        <kez-button kind="quiet" @click=${() => this.emit("kez-log-out")}>${signUp.logOut}</kez-button>
      </div>`
  }

  /** For the next try. */
  focusField(): void {
    this.field?.focus()
  }

  #submit(event: Event): void {
    event.preventDefault()
    const passphrase = this.field.value
    if (this.busy || passphrase === "") return this.field.focus()
    this.field.value = ""
    this.emit("kez-unlock", passphrase)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-unlock-form": UnlockForm
  }
}
