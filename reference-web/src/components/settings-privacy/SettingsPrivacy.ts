import type { Settings } from "@kez-chat/sdk/promise"
import { html, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import "../../elements/choice/Choice.ts"
import type { Choice } from "../../elements/choice/Choice.ts"
import "../../elements/note/Note.ts"
import "../../elements/switch/Switch.ts"
import type { Switch } from "../../elements/switch/Switch.ts"
import { Part } from "../part/Part.ts"

/** What others learn, and who may write. */
@customElement("kez-settings-privacy")
export class SettingsPrivacy extends Part {
  @property({ attribute: false }) settings: Settings | undefined
  @property() failed = ""

  protected override render() {
    const { settings } = this.texts
    const title = this.head(settings.parts.privacy.title)
    if (this.settings === undefined) return html`${title}${this.problem(this.failed)}`
    const options = [
      { value: "everyone", label: settings.inboxEveryone, hint: settings.inboxEveryoneHelp },
      { value: "contacts", label: settings.inboxContacts, hint: settings.inboxContactsHelp }
    ]
    return html`${title}
      <section>
        <kez-switch
          label=${settings.readReceipts}
          hint=${settings.readReceiptsHelp}
          .checked=${this.settings.readReceipts}
          @change=${(event: Event) => this.change("kez-settings", { readReceipts: (event.target as Switch).checked })}
        ></kez-switch>
      </section>
      <section>
        <kez-choice
          label=${settings.inbox}
          .options=${options}
          .value=${this.settings.inbox}
          @change=${(event: Event) =>
            this.change("kez-settings", {
              inbox: (event.target as Choice).value === "contacts" ? "contacts" : "everyone"
            })}
        ></kez-choice>
      </section>
      ${this.failed === "" ? nothing : this.problem(this.failed)}`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-privacy": SettingsPrivacy
  }
}
