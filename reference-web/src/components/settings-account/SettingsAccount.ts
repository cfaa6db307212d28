import { css, html } from "lit"
import { customElement, property } from "lit/decorators.js"
import { hashOf } from "../../controllers/Route.ts"
import "../../elements/copy/Copy.ts"
import "../../elements/mark/Mark.ts"
import "../../elements/qr/Qr.ts"
import { Part, partStyles } from "../part/Part.ts"

/** Who one is: the name to give to others, the code of it, the key. */
@customElement("kez-settings-account")
export class SettingsAccount extends Part {
  static override styles = [
    ...partStyles,
    css`
      kez-qr {
        width: 10rem;
      }
      .mark {
        display: flex;
        align-items: center;
        gap: var(--space-4);
        color: var(--soft);
        font-size: var(--text-small);
      }
    `
  ]

  @property() handle = ""
  @property() primary = ""

  protected override render() {
    const { common, settings, signUp } = this.texts
    const copy = (text: string) =>
      html`<kez-copy .text=${text} label=${common.copy} copiedLabel=${common.copied}></kez-copy>`
    return html`${this.head(settings.parts.account.title)}
      <section>
        <h2>${settings.share}</h2>
        <p class="help">${signUp.shareLabel}</p>
        ${copy(signUp.shareLine(this.handle))}
        <kez-qr text=${this.handle} label=${signUp.qrLabel(this.handle)}></kez-qr>
      </section>
      <section>
        <h2>${settings.key}</h2>
        <p class="help">${settings.keyHelp}</p>
        ${copy(this.primary)}
        <div class="mark">
          <kez-mark large .primary=${this.primary}></kez-mark>
          <p>${settings.mark}</p>
        </div>
        <a href=${hashOf({ screen: "profile", who: this.handle })}>${settings.showProfile}</a>
      </section>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-account": SettingsAccount
  }
}
