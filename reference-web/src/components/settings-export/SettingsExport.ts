import { html, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import "../../elements/note/Note.ts"
import { Part } from "../part/Part.ts"

/** Everything of the account but its key, as a file. */
@customElement("kez-settings-export")
export class SettingsExport extends Part {
  /** Lines written so far; undefined before it began. */
  @property({ attribute: false }) count: number | undefined
  @property({ type: Boolean }) busy = false
  @property() failed = ""

  protected override render() {
    const { common, settings } = this.texts
    return html`${this.head(settings.exportTitle)}
      <section>
        <p class="help">${settings.export}</p>
        <kez-note kind="warn">${settings.exportWarning}</kez-note>
        <kez-button kind="primary" ?busy=${this.busy} @click=${() => this.change("kez-action", { _tag: "export" })}
          >${settings.exportSave}</kez-button
        >
        ${
          this.failed !== ""
            ? this.problem(common.failed(this.failed))
            : this.count === undefined
              ? nothing
              : this.busy
                ? html`<p role="status">${settings.exportBusy(this.count)}</p>`
                : html`<kez-note kind="good" live>${settings.exportDone(this.count)}</kez-note>`
        }
      </section>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-export": SettingsExport
  }
}
