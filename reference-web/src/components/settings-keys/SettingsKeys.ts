import { css, html } from "lit"
import { customElement } from "lit/decorators.js"
import { Part, partStyles } from "../part/Part.ts"

/** The keys that work everywhere. */
@customElement("kez-settings-keys")
export class SettingsKeys extends Part {
  static override styles = [
    ...partStyles,
    css`
      dl {
        grid-template-columns: auto 1fr;
        gap: var(--space-3) var(--space-5);
      }
      dt {
        color: var(--ink);
      }
      dd {
        text-align: left;
      }
      kbd {
        display: inline-block;
        min-width: 1.75rem;
        padding: 0 var(--space-2);
        border: 1px solid var(--edge);
        border-radius: var(--radius-input);
        background: var(--surface);
        font: var(--text-small) / 1.75 var(--mono);
        text-align: center;
      }
    `
  ]

  protected override render() {
    const { settings } = this.texts
    return html`${this.head(settings.parts.keys.title)}
      <section>
        <p class="help">${settings.keysHelp}</p>
        <dl>
          ${settings.keyMap.map(
            ([keys, meaning]) =>
              html`<dt>${keys.map((key, index) => html`${index === 0 ? "" : ` ${settings.or} `}<kbd>${key}</kbd>`)}</dt>
                <dd>${meaning}</dd>`
          )}
        </dl>
      </section>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-keys": SettingsKeys
  }
}
