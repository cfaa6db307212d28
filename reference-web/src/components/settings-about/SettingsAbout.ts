import { html } from "lit"
import { customElement, property } from "lit/decorators.js"
import { hashOf } from "../../controllers/Route.ts"
import { Part } from "../part/Part.ts"

/** What this page is. */
@customElement("kez-settings-about")
export class SettingsAbout extends Part {
  @property() version = ""
  @property() server = ""

  protected override render() {
    const { settings } = this.texts
    return html`${this.head(settings.parts.about.title)}
      <section>
        <dl>
          <dt>${settings.aboutVersion}</dt>
          <dd>${this.version}</dd>
          <dt>${settings.aboutServer}</dt>
          <dd>${this.server}</dd>
        </dl>
        <a href=${hashOf({ screen: "about" })}>${settings.aboutProtection}</a>
        <p class="help">${settings.aboutLicense}</p>
      </section>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-about": SettingsAbout
  }
}
