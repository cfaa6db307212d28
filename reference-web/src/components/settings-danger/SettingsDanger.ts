import { html } from "lit"
import { customElement, property } from "lit/decorators.js"
import "../confirm-dialog/ConfirmDialog.ts"
import { Part } from "../part/Part.ts"
import { nameOf } from "../step/Step.ts"

/** Logging out of this browser, and deleting the account. */
@customElement("kez-settings-danger")
export class SettingsDanger extends Part {
  @property() handle = ""
  /** Messages in this browser. */
  @property({ type: Number }) messages = 0
  /** The words were checked within 30 days: logging out needs no typing. */
  @property({ type: Boolean }) wordsChecked = false
  @property() asking: "" | "logOut" | "deleteAccount" = ""
  @property({ type: Boolean }) busy = false
  /** Why it was not done. */
  @property() failed = ""

  protected override render() {
    const { settings } = this.texts
    const name = nameOf(this.handle)
    const close = () => {
      this.asking = ""
      this.failed = ""
    }
    return html`${this.head(settings.parts.danger.title)}
      <section>
        <h2>${settings.logOutTitle}</h2>
        <p class="help">${settings.logOut(this.messages)}</p>
        <kez-button @click=${() => (this.asking = "logOut")}>${settings.logOutAction}</kez-button>
      </section>
      <section>
        <h2>${settings.deleteTitle}</h2>
        <p class="help">${settings.delete(name)} ${settings.deleteMore}</p>
        <kez-button kind="danger" @click=${() => (this.asking = "deleteAccount")}>${settings.deleteAction}</kez-button>
      </section>
      <kez-confirm-dialog
        heading=${settings.logOutTitle}
        text=${settings.logOut(this.messages)}
        action=${settings.logOutAction}
        .type=${this.wordsChecked ? "" : this.handle}
        .open=${this.asking === "logOut"}
        .busy=${this.busy}
        .failed=${this.asking === "logOut" ? this.failed : ""}
        @kez-close=${close}
        @kez-done=${() => this.change("kez-action", { _tag: "logOut" })}
      ></kez-confirm-dialog>
      <kez-confirm-dialog
        heading=${settings.deleteTitle}
        text=${settings.delete(name)}
        more=${settings.deleteMore}
        action=${settings.deleteAction}
        .type=${this.handle}
        .open=${this.asking === "deleteAccount"}
        .busy=${this.busy}
        .failed=${this.asking === "deleteAccount" ? this.failed : ""}
        @kez-close=${close}
        @kez-done=${() => this.change("kez-action", { _tag: "deleteAccount" })}
      ></kez-confirm-dialog>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-danger": SettingsDanger
  }
}
