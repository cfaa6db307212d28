import type { InboxUsage } from "@kez-chat/sdk/promise"
import { css, html, nothing } from "lit"
import { customElement, property } from "lit/decorators.js"
import "../../elements/note/Note.ts"
import "../../elements/switch/Switch.ts"
import type { Switch } from "../../elements/switch/Switch.ts"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import { Part, partStyles } from "../part/Part.ts"

export type StorageUsage = Awaited<ReturnType<WebAccount["storage"]>>

/** From this part on a store counts as nearly full. */
const nearlyFull = 0.8

const bar = (label: string, used: number, limit: number) =>
  html`<progress
    class=${used > limit * nearlyFull ? "nearly-full" : ""}
    aria-label=${label}
    max=${limit}
    .value=${used}
  ></progress>`

/** What is stored in this browser and at the home server, and making room there. */
@customElement("kez-settings-storage")
export class SettingsStorage extends Part {
  static override styles = [
    ...partStyles,
    css`
      .box {
        justify-self: stretch;
        display: grid;
        gap: var(--space-2);
      }
      progress {
        width: 100%;
        height: 0.5rem;
        border: 0;
        border-radius: 999px;
        background: var(--line);
        overflow: hidden;
        appearance: none;
      }
      progress::-webkit-progress-bar {
        background: var(--line);
      }
      progress::-webkit-progress-value {
        background: var(--accent);
      }
      progress::-moz-progress-bar {
        background: var(--accent);
      }
      progress.nearly-full::-webkit-progress-value {
        background: var(--warn);
      }
      progress.nearly-full::-moz-progress-bar {
        background: var(--warn);
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 0 var(--space-4);
        font-variant-numeric: tabular-nums;
      }
      .line span + span {
        color: var(--soft);
      }
      .more {
        color: var(--soft);
        font-size: var(--text-small);
      }
      .box kez-button {
        justify-self: start;
      }
    `
  ]

  @property() server = ""
  @property({ attribute: false }) usage: StorageUsage | undefined
  @property({ attribute: false }) inbox: InboxUsage | undefined
  @property({ type: Boolean }) autoTrim = false
  /** The box that is being trimmed, or was. */
  @property() trimming: "" | "mail" | "sent" = ""
  @property({ type: Boolean }) trimmed = false
  @property() failed = ""

  protected override render() {
    const { settings } = this.texts
    const { inbox } = this
    return html`${this.head(settings.parts.storage.title)}
      <section>
        <h2>${settings.here}</h2>
        ${this.#here()}
      </section>
      <section>
        <h2>${settings.atHome(this.server)}</h2>
        <p class="help">${settings.atHomeHelp}</p>
        ${
          inbox === undefined
            ? nothing
            : html`${this.#box("mail", settings.mail, inbox.mail.used, inbox.mail.limit, inbox.mail.strangers)}
                ${this.#box("sent", settings.sent, inbox.sent.used, inbox.sent.limit)}
                <p class="more">${settings.trimHelp}</p>`
        }
        ${this.trimmed ? html`<kez-note kind="good" live>${settings.trimmed}</kez-note>` : nothing}
        ${this.problem(this.failed)}
        <kez-switch
          label=${settings.autoTrim}
          hint=${settings.autoTrimHelp}
          .checked=${this.autoTrim}
          @change=${(event: Event) => this.change("kez-settings", { autoTrim: (event.target as Switch).checked })}
        ></kez-switch>
      </section>`
  }

  #here() {
    const { common, settings, signUp } = this.texts
    const { usage } = this
    if (usage === undefined) return html`<p class="help">${common.loading}</p>`
    return html`<div class="box">
        <div class="line">
          <span>${settings.messages(usage.messages)}</span>
          ${usage.usage === undefined ? nothing : html`<span>${settings.used(usage.usage, usage.quota)}</span>`}
        </div>
        ${
          usage.usage === undefined || usage.quota === undefined
            ? nothing
            : bar(settings.here, usage.usage, usage.quota)
        }
      </div>
      <p class="help">${usage.persisted ? settings.persisted : settings.notPersisted}</p>
      ${
        usage.persisted
          ? nothing
          : html`<kez-button @click=${() => this.change("kez-action", { _tag: "persist" })}
              >${signUp.storageKeep}</kez-button
            >`
      }`
  }

  #box(box: "mail" | "sent", label: string, used: number, limit: number, strangers?: InboxUsage["mail"]["strangers"]) {
    const { settings } = this.texts
    return html`<div class="box">
      <div class="line"><span>${label}</span><span>${settings.boxUsed(used, limit)}</span></div>
      ${bar(label, used, limit)}
      ${
        strangers === undefined || strangers.used === 0
          ? nothing
          : html`<div class="line more">
              <span>${settings.strangers}</span><span>${settings.boxUsed(strangers.used, strangers.limit)}</span>
            </div>`
      }
      <kez-button
        label=${`${settings.trim}: ${label}`}
        ?busy=${this.trimming === box}
        ?disabled=${used === 0}
        @click=${() => this.change("kez-action", { _tag: "trim", box })}
        >${settings.trim}</kez-button
      >
    </div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-storage": SettingsStorage
  }
}
