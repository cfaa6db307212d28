import { consume } from "@lit/context"
import type { Contact, Verification } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { fullDate } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../../elements/button/Button.ts"
import "../../elements/copy/Copy.ts"
import "../../elements/icon/Icon.ts"
import "../../elements/note/Note.ts"
import "../../elements/qr/Qr.ts"
import "../code-scanner/CodeScanner.ts"
import "../key-change/KeyChange.ts"
import { type KeyDecision, keyDecision } from "../key-change/KeyDecision.ts"
import "../safety-number/SafetyNumber.ts"
import { compareScanned } from "../safety-number/ScannedCode.ts"
import { styles } from "./Safety.styles.ts"

/** The key that is to be compared. */
interface Compared {
  readonly primary: string
  readonly safetyNumber: string
  readonly qr: string
}

/** `other`: the camera read a code that is no safety number. */
export type SafetyStep = "compare" | "scanning" | "other" | "differ"

/**
 * The safety number with a contact, and what can be found by comparing it. Opening it marks nothing as checked.
 *
 * @fires kez-key-decision - What the user found or chose.
 */
@customElement("kez-safety")
export class Safety extends LitElement {
  static override styles = [shared, styles]

  @property({ attribute: false }) verification: Verification | undefined
  /** The name to speak of. */
  @property() name = ""
  /** Name of the home server. */
  @property() server = ""
  @property() step: SafetyStep = "compare"
  /** The home server did not say which key it names now. */
  @property({ type: Boolean }) unasked = false
  @property({ type: Boolean }) busy = false
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en

  protected override render() {
    const { verification } = this
    if (verification === undefined) return nothing
    const { contact, pinned } = verification
    if (contact.state === "changed") return this.#changed(verification)
    const { people } = this.texts
    return html`${this.#kept(verification)} ${this.#notAsked(contact.addedAt)}
      ${this.step === "differ" ? this.#differ() : nothing}
      <section>
        <p>${people.safetyHow(this.name)} <span class="soft">${people.safetyWhy}</span></p>
        ${this.#number(pinned)}
        ${contact.state === "accepted" ? this.#answer(pinned, contact) : this.#notYet(contact.state)}
      </section>
      ${this.#code(pinned)}`
  }

  /** Sending is off: the offered key's number is the one to compare, and the pinned one is shown for what it is. */
  #changed({ contact, offered, pinned }: Verification): TemplateResult {
    const { people } = this.texts
    const { name } = this
    const compared = comparedOf(offered)
    const isMoved = offered?.origin === "handed_over"
    return html`<kez-key-change
        .contact=${contact}
        .name=${name}
        .server=${this.server}
        ?busy=${this.busy}
        comparing
      ></kez-key-change>
      ${this.#notAsked(contact.addedAt)} ${this.step === "differ" ? this.#differ() : nothing}
      ${
        offered === undefined
          ? nothing
          : html`<section>
              <h2>${isMoved ? people.newKeyMoved(name) : people.newKeyOffered(this.server)}</h2>
              ${
                compared === undefined
                  ? nothing
                  : html`<p>${people.compareNewHow(name)}</p>
                      ${this.#number(compared)} ${this.#answer(compared)}`
              }
              ${this.#key(offered.primary)} ${compared === undefined ? nothing : this.#code(compared)}
            </section>`
      }
      <section>
        <h2>${people.oldKey}</h2>
        ${this.#number(pinned)} ${this.#key(pinned.primary)}
        <p class="soft">${people.noCheckNow}</p>
      </section>`
  }

  #kept({ contact }: Verification) {
    if (contact.kept !== true) return nothing
    const { people } = this.texts
    const { offered } = contact
    return html`<kez-note kind="warn"
      ><p>${offered === undefined ? people.keyKeptPlain(this.name) : people.keyKept(this.name)}</p>
      ${
        contact.warning === undefined
          ? nothing
          : html`<details>
              <summary>${people.whatExactly}</summary>
              <bdi>${contact.warning}</bdi>
            </details>`
      }
      ${
        offered === undefined || !offered.primary.startsWith("ed25519:")
          ? nothing
          : html`<kez-button
              slot="actions"
              ?busy=${this.busy}
              @click=${() => this.#decide({ action: "accept", primary: offered.primary, compared: false })}
              >${offered.origin === "handed_over" ? people.useNew : people.toldMe(this.name)}</kez-button
            >`
      }</kez-note
    >`
  }

  #notAsked(since: number) {
    if (!this.unasked) return nothing
    return html`<kez-note live>${this.texts.people.safetyNotAsked(this.server, fullDate(since))}</kez-note>`
  }

  #number({ safetyNumber }: Pick<Compared, "safetyNumber">) {
    return html`<div class="card" role="group" aria-label=${this.texts.people.safetyNumberIs}>
      <kez-safety-number .number=${safetyNumber}></kez-safety-number>
    </div>`
  }

  #key(primary: string) {
    const { common } = this.texts
    return html`<kez-copy .text=${primary} .label=${common.copy} .copiedLabel=${common.copied}></kez-copy>`
  }

  #code({ qr }: Pick<Compared, "qr">) {
    const { people } = this.texts
    return html`<figure>
      <figcaption>${people.safetyCode(this.name)}</figcaption>
      <kez-qr .text=${qr} .label=${people.safetyCodeLabel}></kez-qr>
    </figure>`
  }

  /** What to do with the number; of the pinned key, also when it was checked. */
  #answer(compared: Compared, { verified, verifiedAt }: Partial<Contact> = {}): TemplateResult {
    const { people } = this.texts
    if (verified === true) {
      return html`<kez-note kind="good" live
          >${verifiedAt === undefined ? people.checkedBefore : people.checkedOn(fullDate(verifiedAt))}</kez-note
        >
        <div class="buttons">
          <kez-button ?busy=${this.busy} @click=${() => this.#decide({ action: "unconfirm" })}
            >${people.uncheck}</kez-button
          >
          <kez-button @click=${() => this.#differs(true)}>${people.theyDiffer}</kez-button>
        </div>`
    }
    if (this.step === "differ") {
      return html`<div class="buttons">
        <kez-button @click=${() => (this.step = "compare")}>${people.compareAgain}</kez-button>
      </div>`
    }
    if (this.step === "scanning" || this.step === "other") {
      return html`<kez-code-scanner
          .name=${this.name}
          @kez-scan=${(event: CustomEvent<{ readonly text: string }>) => this.scanned(event.detail.text, compared)}
        ></kez-code-scanner>
        ${this.step === "other" ? html`<kez-note kind="warn" live>${people.scanOther(this.name)}</kez-note>` : nothing}
        <div class="buttons">
          <kez-button @click=${() => (this.step = "compare")}>${people.scanStop}</kez-button>
        </div>`
    }
    return html`<div class="buttons">
      <kez-button kind="primary" ?busy=${this.busy} @click=${() => this.#matches(compared)}
        >${people.theyMatch}</kez-button
      >
      <kez-button @click=${() => this.#differs(false)}>${people.theyDiffer}</kez-button>
      <kez-button kind="quiet" @click=${() => (this.step = "scanning")}
        ><kez-icon name="camera"></kez-icon>${people.scan(this.name)}</kez-button
      >
    </div>`
  }

  #notYet(state: "requested" | "blocked" | "changed") {
    const { people } = this.texts
    return html`<kez-note
      >${state === "blocked" ? people.unblockFirst(this.name) : people.acceptFirst(this.name)}</kez-note
    >`
  }

  #differ(): TemplateResult {
    const { people } = this.texts
    return html`<kez-note kind="danger" live
      ><p class="title">${people.differTitle}</p>
      <p>${people.differText}</p>
      <kez-button slot="actions" ?busy=${this.busy} @click=${() => this.#decide({ action: "block" })}
        >${people.blockThem(this.name)}</kez-button
      ></kez-note
    >`
  }

  /** Judges a code that the camera read. */
  scanned(text: string, compared: Compared): void {
    const found = compareScanned(text, compared.qr)
    if (found === "other") this.step = "other"
    else if (found === "same") this.#matches(compared)
    else this.#differs(false)
  }

  #matches({ primary }: Compared): void {
    this.step = "compare"
    const isPinned = primary === this.verification?.pinned.primary
    this.#decide(isPinned ? { action: "confirm", primary } : { action: "accept", primary, compared: true })
  }

  #differs(wasChecked: boolean): void {
    this.step = "differ"
    if (wasChecked) this.#decide({ action: "unconfirm" })
  }

  #decide(decision: KeyDecision): void {
    this.dispatchEvent(keyDecision(decision))
  }
}

const comparedOf = (offered: Verification["offered"]): Compared | undefined =>
  offered?.safetyNumber === undefined || offered.qr === undefined
    ? undefined
    : { primary: offered.primary, safetyNumber: offered.safetyNumber, qr: offered.qr }

declare global {
  interface HTMLElementTagNameMap {
    "kez-safety": Safety
  }
}
