import { consume } from "@lit/context"
import type { Claim } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../elements/button/Button.ts"
import "../../elements/icon/Icon.ts"
import type { IconName } from "../../elements/icon/Icon.ts"
import { dayInSentence } from "../../model/DayInSentence.ts"
import { fullMoment } from "../../model/Moment.ts"
import { details } from "../../styles/details.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import { styles } from "./Claims.styles.ts"
import { identityText } from "./IdentityText.ts"

/** What the user wants done about a claim. */
export interface ClaimAction {
  readonly action: "check" | "takeBack"
  readonly subject: string
}

/**
 * The identities elsewhere that a key claims, what this device found out about each, and what it goes by.
 *
 * @fires kez-claim-action - The user asked for a check, or takes a claim back.
 */
@customElement("kez-claims")
export class Claims extends LitElement {
  static override styles = [shared, details, styles]

  @property({ attribute: false }) claims: ReadonlyArray<Claim> = []
  /** They are the user's own and can be taken back. */
  @property({ type: Boolean }) own = false
  /** Only what is claimed and its state. */
  @property({ type: Boolean }) plain = false
  /** The subject that is being checked or taken back. */
  @property() busy = ""
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  /** The subjects whose evidence is shown; it is rendered only then. */
  @state() private opened: ReadonlySet<string> = new Set()

  protected override render() {
    if (this.claims.length === 0) return html`<p class="state">${this.texts.people.claimsNone}</p>`
    return html`<ul>
      ${this.claims.map((claim) => this.#claim(claim))}
    </ul>`
  }

  #claim(claim: Claim): TemplateResult {
    const { people } = this.texts
    const { revoked, state, subject } = claim
    const { name, system } = identityText(subject)
    return html`<li class=${revoked ? "revoked" : state}>
      <kez-icon name=${revoked ? "close" : icons[state]}></kez-icon>
      <div>
        ${system === "" ? nothing : html`<span class="system">${people.system(system) ?? system}</span>`}
        <span class="name">${revoked ? html`<s><bdi>${name}</bdi></s>` : html`<bdi>${name}</bdi>`}</span>
        <p class="state">${this.#state(claim)}</p>
        ${revoked || this.plain ? nothing : this.#details(claim)}
      </div>
    </li>`
  }

  #state({ lastGoodAt, reason, revoked, state }: Claim): string {
    const { people } = this.texts
    const day = lastGoodAt === undefined ? undefined : dayInSentence(lastGoodAt, Date.now())
    if (revoked) return people.takenBack
    switch (state) {
      case "valid":
        return people.claimValid(day ?? "")
      case "broken":
        return people.claimBroken
      case "unchecked":
        return people.claimUnchecked
      case "unreachable":
        if (reason === "needs_cli" || reason === "unsupported") return people.claimNeedsCli
        return day === undefined ? people.claimUnreachable : people.claimLastGood(day)
    }
  }

  #details(claim: Claim): TemplateResult {
    const { people } = this.texts
    const { subject } = claim
    return html`<details @toggle=${(event: Event) => this.#toggled(event, subject)}>
      <summary>${people.claimDetails}<kez-icon name="forward"></kez-icon></summary>
      ${this.opened.has(subject) ? this.#evidence(claim) : nothing}
    </details>`
  }

  #evidence({ checkedAt, evidence, lastGoodAt, nextCheckAt, retryAt, sentence, subject }: Claim): TemplateResult {
    const { people } = this.texts
    const row = (label: string, value: TemplateResult | string | undefined) =>
      value === undefined
        ? nothing
        : html`<dt>${label}</dt>
            <dd>${value}</dd>`
    const moment = (millis: number | undefined) => (millis === undefined ? undefined : fullMoment(millis))
    return html`<dl>
        ${row(people.claimFound, html`<bdi>${sentence}</bdi>`)} ${row(people.claimCheckedAt, moment(checkedAt))}
        ${row(people.claimLastGoodAt, moment(lastGoodAt))} ${row(people.claimRetryAt, moment(retryAt ?? nextCheckAt))}
        ${
          evidence === undefined
            ? nothing
            : html`${row(people.claimUrl, html`<code dir="ltr">${evidence.url}</code>`)}
              ${row(people.claimFetchedAt, moment(evidence.fetchedAt))}
              ${row(people.claimDigest, html`<code>${evidence.digest}</code>`)}
              ${row(people.claimRecipe, html`<code>${evidence.recipe}</code>`)}
              ${row(people.claimDnssec, evidence.dnssec === undefined ? undefined : people.claimDnssecIs[evidence.dnssec])}
              ${row(people.claimProof, html`<pre dir="ltr" tabindex="0">${evidence.proof}</pre>`)}`
        }
      </dl>
      <div class="buttons">
        <kez-button ?busy=${this.busy === subject} @click=${() => this.#act("check", subject)}
          >${people.claimCheck}</kez-button
        >
        ${
          this.own
            ? html`<kez-button ?busy=${this.busy === subject} @click=${() => this.#act("takeBack", subject)}
                >${people.claimTakeBack}</kez-button
              >`
            : nothing
        }
      </div>`
  }

  #toggled(event: Event, subject: string): void {
    if (!(event.currentTarget as HTMLDetailsElement).open || this.opened.has(subject)) return
    this.opened = new Set([...this.opened, subject])
  }

  #act(action: ClaimAction["action"], subject: string): void {
    this.dispatchEvent(new CustomEvent("kez-claim-action", { detail: { action, subject } }))
  }
}

const icons: Readonly<Record<Claim["state"], IconName>> = {
  valid: "check",
  unreachable: "offline",
  broken: "warning",
  unchecked: "info"
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-claims": Claims
  }
  interface HTMLElementEventMap {
    "kez-claim-action": CustomEvent<ClaimAction>
  }
}
