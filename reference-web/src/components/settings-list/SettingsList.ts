import { css, html, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import { hashOf } from "../../controllers/Route.ts"
import type { IconName } from "../../elements/icon/Icon.ts"
import "../../elements/mark/Mark.ts"
import { Part, partStyles } from "../part/Part.ts"
import { nameOf } from "../step/Step.ts"
import "../words-reminder/WordsReminder.ts"

const icons = {
  account: "person",
  proofs: "link",
  privacy: "lock",
  notifications: "bell",
  appearance: "eye",
  storage: "folder",
  words: "key",
  rotate: "forward",
  export: "file",
  keys: "keyboard",
  about: "info",
  danger: "warning"
} as const satisfies Record<string, IconName>

export type PartName = keyof typeof icons

export const isPart = (name: string): name is PartName => Object.hasOwn(icons, name)

/** Who one is, the parts of the settings, and locking. */
@customElement("kez-settings-list")
export class SettingsList extends Part {
  static override styles = [
    ...partStyles,
    css`
      /* Beside the list of conversations there is no need to go back to it. */
      @media (min-width: 48rem) {
        .up {
          display: none;
        }
      }
      .who {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        margin: var(--space-5) 0 var(--space-4);
      }
      .who strong {
        display: block;
        font-size: var(--text-name);
      }
      .who span {
        color: var(--soft);
        overflow-wrap: anywhere;
      }
      ul {
        margin: 0 0 var(--space-5);
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius-card);
        background: var(--surface);
        list-style: none;
        overflow: hidden;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      li a {
        display: flex;
        align-items: center;
        gap: var(--space-4);
        min-height: 3.5rem;
        padding: var(--space-2) var(--space-4);
        color: var(--ink);
        text-decoration: none;
      }
      li a:hover {
        background: var(--sunken);
      }
      li a:focus-visible {
        outline-offset: -3px;
      }
      li kez-icon {
        color: var(--soft);
      }
      li .text {
        flex: 1;
        min-width: 0;
      }
      li strong {
        display: block;
      }
      li .text span {
        color: var(--soft);
        font-size: var(--text-small);
      }
      kez-words-reminder {
        margin-bottom: var(--space-4);
      }
    `
  ]

  @property() handle = ""
  @property() primary = ""
  /** It is time to check the words. */
  @property({ type: Boolean }) reminder = false

  protected override render() {
    const { common, settings } = this.texts
    return html`<a class="up" href=${hashOf({ screen: "list" })}>
        <kez-icon name="back"></kez-icon>${common.conversations}
      </a>
      <h1 tabindex="-1">${settings.title}</h1>
      <div class="who">
        <kez-mark .primary=${this.primary}></kez-mark>
        <div>
          <strong><bdi>${nameOf(this.handle)}</bdi></strong>
          <span><bdi>${this.handle}</bdi></span>
        </div>
      </div>
      ${this.reminder ? html`<kez-words-reminder></kez-words-reminder>` : nothing}
      <ul>
        ${Object.entries(settings.parts).map(
          ([part, { about, title }]) =>
            html`<li>
              <a href=${hashOf({ screen: "settings", part })}>
                <kez-icon name=${isPart(part) ? icons[part] : "info"}></kez-icon>
                <span class="text"><strong>${title}</strong><span>${about}</span></span>
                <kez-icon name="forward"></kez-icon>
              </a>
            </li>`
        )}
      </ul>
      <kez-button @click=${() => this.change("kez-action", { _tag: "lock" })}
        ><kez-icon name="lock"></kez-icon>${settings.lockNow}</kez-button
      >`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-list": SettingsList
  }
}
