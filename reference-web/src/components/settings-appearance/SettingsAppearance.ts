import { html } from "lit"
import { customElement, property } from "lit/decorators.js"
import "../../elements/choice/Choice.ts"
import type { Choice } from "../../elements/choice/Choice.ts"
import { Part } from "../part/Part.ts"

/** Light or dark, and what Enter does. */
@customElement("kez-settings-appearance")
export class SettingsAppearance extends Part {
  @property() theme = "system"
  @property() enter = "send"

  protected override render() {
    const { settings } = this.texts
    const set = (name: "theme" | "enter") => (event: Event) =>
      this.change("kez-preference", [name, (event.target as Choice).value])
    return html`${this.head(settings.parts.appearance.title)}
      <section>
        <kez-choice
          label=${settings.theme}
          .value=${this.theme}
          .options=${[
            { value: "system", label: settings.themeSystem },
            { value: "light", label: settings.themeLight },
            { value: "dark", label: settings.themeDark }
          ]}
          @change=${set("theme")}
        ></kez-choice>
      </section>
      <section>
        <kez-choice
          label=${settings.enter}
          .value=${this.enter}
          .options=${[
            { value: "send", label: settings.enterSend },
            { value: "newline", label: settings.enterLine }
          ]}
          @change=${set("enter")}
        ></kez-choice>
        <p class="help">${settings.enterTouch}</p>
      </section>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-appearance": SettingsAppearance
  }
}
