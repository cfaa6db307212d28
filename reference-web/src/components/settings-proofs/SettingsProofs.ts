import type { Claim, Proving } from "@kez-chat/sdk/promise"
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { live } from "lit/directives/live.js"
import "../../elements/copy/Copy.ts"
import "../../elements/field/Field.ts"
import type { Field } from "../../elements/field/Field.ts"
import "../../elements/note/Note.ts"
import { timeOfDay } from "../../model/Moment.ts"
import { type ClaimAction } from "../claims/Claims.ts"
import { identityText } from "../claims/IdentityText.ts"
import "../confirm-dialog/ConfirmDialog.ts"
import { Part, partStyles } from "../part/Part.ts"

/** Systems of which a proof can be made, those that a page can look up first. */
const systems = ["dns", "bluesky", "nostr", "github", "web", "ap"] as const
type System = (typeof systems)[number]

/** Names of the user elsewhere that are linked to the key: what others see of them, and linking another one. */
@customElement("kez-settings-proofs")
export class SettingsProofs extends Part {
  static override styles = [
    ...partStyles,
    css`
      form {
        display: grid;
        gap: var(--space-4);
        justify-self: stretch;
      }
      form > kez-button {
        justify-self: start;
      }
      select {
        width: 100%;
        min-height: max(var(--target), 2.75rem);
        padding: 0 var(--space-3);
        border: 1px solid var(--edge);
        border-radius: var(--radius-input);
        background: var(--surface);
        color: inherit;
        font: inherit;
      }
      label {
        display: block;
        margin-bottom: var(--space-1);
        font-weight: 600;
      }
      ol {
        margin: 0;
        padding-left: 1.25em;
      }
      li + li {
        margin-top: var(--space-2);
      }
      h3 {
        margin: 0;
        font-size: var(--text-name);
        overflow-wrap: anywhere;
      }
      kez-claims,
      section > kez-copy {
        justify-self: stretch;
      }
    `
  ]

  /** The user's claims; undefined while they are read. */
  @property({ attribute: false }) claims: ReadonlyArray<Claim> | undefined
  /** Proofs that were begun and are not recorded yet. */
  @property({ attribute: false }) provings: ReadonlyArray<Proving> = []
  /** The subject that is looked for at the moment. */
  @property() looking = ""
  /** The subject of the claim that is checked or taken back at the moment. */
  @property() busy = ""
  /** A proof that this page cannot look for: the CLI can. */
  @property() needsCli = ""
  /** The subject that was recorded last. */
  @property() recorded = ""
  @property() failed = ""
  @state() private system: System = "dns"
  @state() private name = ""
  @state() private takingBack = ""

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("recorded") && this.recorded !== "") this.name = ""
  }

  protected override render() {
    const { common, settings } = this.texts
    return html`${this.head(settings.parts.proofs.title)}
      <section>
        <p class="help">${settings.proofsHelp}</p>
        ${
          this.claims === undefined
            ? nothing
            : this.claims.length === 0
              ? html`<p class="help">${settings.proofsNone}</p>`
              : html`<kez-claims
                  own
                  .claims=${this.claims}
                  .busy=${this.busy}
                  @kez-claim-action=${this.#claimAction}
                ></kez-claims>`
        }
        ${
          this.recorded === ""
            ? nothing
            : html`<kez-note kind="good" live><bdi>${settings.proofRecorded(shown(this.recorded))}</bdi></kez-note>`
        }
        ${this.problem(this.failed === "" ? "" : common.failed(this.failed))}
      </section>
      ${this.provings.map((proving) => this.#proving(proving))} ${this.#another()}
      <kez-confirm-dialog
        heading=${settings.proofTakeBackTitle(shown(this.takingBack))}
        text=${settings.proofTakeBackText}
        action=${this.texts.people.claimTakeBack}
        .open=${this.takingBack !== ""}
        @kez-close=${() => (this.takingBack = "")}
        @kez-done=${() => {
          this.change("kez-action", { _tag: "takeBack", subject: this.takingBack })
          this.takingBack = ""
        }}
      ></kez-confirm-dialog>`
  }

  #proving({ nextCheckAt, publication, sentence, step, subject }: Proving): TemplateResult {
    const { common, settings } = this.texts
    const isLooking = this.looking === subject
    return html`<section>
      <h3><bdi>${settings.proofOf(shown(subject))}</bdi></h3>
      <ol>
        ${publication.steps.map((text) => html`<li>${text}</li>`)}
      </ol>
      <kez-copy short .text=${publication.text} .label=${common.copy} .copiedLabel=${common.copied}></kez-copy>
      <p class="help">${settings.proofWhere} <bdi>${publication.where}</bdi></p>
      <p role="status">
        ${
          step === "visible"
            ? settings.proofVisible
            : sentence === undefined
              ? nothing
              : html`<bdi>${sentence}</bdi
                  >${isLooking && nextCheckAt !== undefined ? ` ${settings.proofLooksAgain(timeOfDay(nextCheckAt))}` : ""}`
        }
      </p>
      <div class="buttons">
        <kez-button
          kind="primary"
          ?busy=${isLooking}
          @click=${() => this.change("kez-action", { _tag: "prove", subject })}
          >${isLooking ? settings.proofLooking : settings.proofLook}</kez-button
        >
        <kez-button @click=${() => this.change("kez-action", { _tag: "takeBack", subject })}
          >${settings.proofGiveUp}</kez-button
        >
      </div>
    </section>`
  }

  #another(): TemplateResult {
    const { settings } = this.texts
    const system = settings.proofSystems[this.system]
    return html`<section>
      <h2>${settings.proofAnother}</h2>
      <form @submit=${this.#submit}>
        <div>
          <label for="system">${settings.proofWhat}</label>
          <select
            id="system"
            .value=${live(this.system)}
            @change=${(event: Event) => (this.system = (event.target as HTMLSelectElement).value as System)}
          >
            ${systems.map((each) => html`<option value=${each} ?selected=${each === this.system}>${settings.proofSystems[each].title}</option>`)}
          </select>
        </div>
        <kez-field
          label=${system.name}
          hint=${system.hint}
          .value=${live(this.name)}
          name="identity"
          @input=${(event: Event) => (this.name = (event.target as Field).value)}
        ></kez-field>
        <kez-button kind="primary" ?busy=${this.looking !== ""} @click=${this.#submit}
          >${settings.proofNext}</kez-button
        >
      </form>
      ${
        this.needsCli === ""
          ? nothing
          : html`<p>${settings.proofNeedsCli}</p>
              <kez-copy
                .text=${`kez-chat prove ${this.needsCli}`}
                .label=${this.texts.common.copy}
                .copiedLabel=${this.texts.common.copied}
              ></kez-copy>`
      }
    </section>`
  }

  readonly #submit = (event: Event): void => {
    event.preventDefault()
    const name = this.name.trim()
    if (name === "" || this.looking !== "") return
    this.change("kez-action", { _tag: "prove", subject: `${this.system}:${name.replace(`${this.system}:`, "")}` })
  }

  readonly #claimAction = ({ detail: { action, subject } }: CustomEvent<ClaimAction>): void => {
    if (action === "takeBack") this.takingBack = subject
    else this.change("kez-action", { _tag: "check", subject })
  }
}

/** A subject as people write it. */
const shown = (subject: string): string => identityText(subject).name

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-proofs": SettingsProofs
  }
}
