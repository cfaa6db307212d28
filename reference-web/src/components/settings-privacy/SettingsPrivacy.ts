import type { Settings } from "@kez-chat/sdk/promise"
import { css, html, nothing, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../elements/choice/Choice.ts"
import type { Choice } from "../../elements/choice/Choice.ts"
import "../../elements/field/Field.ts"
import type { Field } from "../../elements/field/Field.ts"
import "../../elements/note/Note.ts"
import "../../elements/switch/Switch.ts"
import type { Switch } from "../../elements/switch/Switch.ts"
import { hashOf } from "../../controllers/Route.ts"
import { Part, partStyles } from "../part/Part.ts"

/** Systems whose proofs a person may want alone. */
const systems = ["dns", "github", "bluesky", "nostr", "web", "ap"] as const

const domainForm = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/

/** What others learn, and who may write. */
@customElement("kez-settings-privacy")
export class SettingsPrivacy extends Part {
  static override styles = [
    ...partStyles,
    css`
      fieldset {
        display: grid;
        gap: var(--space-1);
        margin: 0;
        padding: 0;
        border: 0;
      }
      legend {
        padding: 0;
        margin-bottom: var(--space-1);
        font-weight: 600;
      }
      label {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        min-height: max(var(--target), 2.25rem);
        cursor: pointer;
      }
      input {
        flex: none;
        width: 1.25rem;
        height: 1.25rem;
        margin: 0;
        accent-color: var(--accent);
      }
      kez-field {
        justify-self: stretch;
      }
      .proven {
        display: grid;
        gap: var(--space-4);
        justify-self: stretch;
        padding-left: var(--space-5);
      }
    `
  ]

  @property({ attribute: false }) settings: Settings | undefined
  @property() failed = ""
  /** A word in the list of domains that is none. */
  @state() private wrongDomain = ""

  protected override render() {
    const { settings } = this.texts
    const title = this.head(settings.parts.privacy.title)
    if (this.settings === undefined) return html`${title}${this.problem(this.failed)}`
    const { inbox, introductions, readReceipts } = this.settings
    const options = [
      { value: "everyone", label: settings.inboxEveryone, hint: settings.inboxEveryoneHelp },
      { value: "contacts", label: settings.inboxContacts, hint: settings.inboxContactsHelp },
      { value: "proven", label: settings.inboxProven, hint: settings.inboxProvenHelp }
    ]
    return html`${title}
      <section>
        <kez-switch
          label=${settings.readReceipts}
          hint=${settings.readReceiptsHelp}
          .checked=${readReceipts}
          @change=${(event: Event) => this.change("kez-settings", { readReceipts: (event.target as Switch).checked })}
        ></kez-switch>
      </section>
      <section>
        <kez-choice
          label=${settings.inbox}
          .options=${options}
          .value=${inbox}
          @change=${(event: Event) =>
            this.change("kez-settings", { inbox: (event.target as Choice).value as Settings["inbox"] })}
        ></kez-choice>
        ${inbox === "proven" ? this.#proven(this.settings) : nothing}
        ${
          inbox === "everyone"
            ? nothing
            : html`<kez-switch
                label=${settings.introductions}
                hint=${settings.introductionsHelp}
                .checked=${introductions}
                @change=${(event: Event) =>
                  this.change("kez-settings", { introductions: (event.target as Switch).checked })}
              ></kez-switch>`
        }
        ${this.problem(this.failed)}
      </section>`
  }

  #proven({ provenBy }: Settings): TemplateResult {
    const { people, settings } = this.texts
    const { domains, systems: chosen } = provenBy
    return html`<div class="proven">
      <fieldset>
        <legend>${settings.provenSystems}</legend>
        <p class="help">${settings.provenSystemsHelp}</p>
        ${systems.map(
          (system) =>
            html`<label>
              <input
                type="checkbox"
                .checked=${chosen.includes(system)}
                @change=${(event: Event) => this.#choose(system, (event.target as HTMLInputElement).checked)}
              />
              <span>${people.system(system)}</span>
            </label>`
        )}
      </fieldset>
      <kez-field
        label=${settings.provenDomains}
        hint=${settings.provenDomainsHelp}
        .error=${this.wrongDomain === "" ? "" : settings.provenDomainsBad(this.wrongDomain)}
        .value=${domains.join(" ")}
        @focusout=${(event: Event) => this.#domains((event.target as Field).value)}
        @keydown=${(event: KeyboardEvent) => event.key === "Enter" && this.#domains((event.target as Field).value)}
      ></kez-field>
      <p class="help">${settings.provenPage}</p>
      <a href=${hashOf({ screen: "requests" })}>${settings.provenHeld}</a>
    </div>`
  }

  #choose(system: string, on: boolean): void {
    const { domains, systems: chosen } = this.settings!.provenBy
    const others = chosen.filter((each) => each !== system)
    this.change("kez-settings", { provenBy: { domains, systems: on ? [...others, system] : others } })
  }

  #domains(text: string): void {
    const domains = [
      ...new Set(
        text
          .toLowerCase()
          .split(/[\s,]+/)
          .filter((word) => word !== "")
      )
    ]
    this.wrongDomain = domains.find((domain) => !domainForm.test(domain)) ?? ""
    const before = this.settings!.provenBy.domains
    if (this.wrongDomain !== "" || domains.join() === before.join()) return
    this.change("kez-settings", { provenBy: { domains, systems: this.settings!.provenBy.systems } })
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-privacy": SettingsPrivacy
  }
}
