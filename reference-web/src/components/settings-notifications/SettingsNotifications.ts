import { html, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import "../../elements/note/Note.ts"
import "../../elements/switch/Switch.ts"
import type { Switch } from "../../elements/switch/Switch.ts"
import { Part } from "../part/Part.ts"

/** When and with what the page notifies. */
@customElement("kez-settings-notifications")
export class SettingsNotifications extends Part {
  @property({ type: Boolean }) notify = false
  /** With what was written. */
  @property({ type: Boolean }) withText = false
  /** What the browser allows; `none` where it has no notifications. */
  @property() permission: NotificationPermission | "none" = "default"

  protected override render() {
    const { settings } = this.texts
    const impossible = this.permission === "none" || this.permission === "denied"
    const set = (name: "notify" | "notify-text") => (event: Event) =>
      this.change("kez-preference", [name, (event.target as Switch).checked ? "on" : "off"])
    return html`${this.head(settings.parts.notifications.title)}
      <section>
        ${
          impossible
            ? html`<kez-note kind="warn"
                >${this.permission === "none" ? settings.notifyNone : settings.notifyBlocked}</kez-note
              >`
            : nothing
        }
        <kez-switch
          label=${settings.notify}
          hint=${settings.notifyHelp}
          .checked=${this.notify && !impossible}
          .disabled=${impossible}
          @change=${set("notify")}
        ></kez-switch>
        <kez-switch
          label=${settings.notifyText}
          hint=${settings.notifyTextHelp}
          .checked=${this.withText}
          .disabled=${impossible || !this.notify}
          @change=${set("notify-text")}
        ></kez-switch>
      </section>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-notifications": SettingsNotifications
  }
}
