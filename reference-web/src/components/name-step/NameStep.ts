import { css, html, nothing } from "lit"
import { customElement, property, query } from "lit/decorators.js"
import "../../elements/field/Field.ts"
import "../../elements/note/Note.ts"
import type { Field } from "../../elements/field/Field.ts"
import { shared } from "../../styles/shared.ts"
import type { HandleStatus } from "@kez-chat/sdk/web-page"
import { Step, stepStyles } from "../step/Step.ts"
import type { Operator } from "../../model/HomeDescription.ts"
import { handleProblem } from "./HandleRule.ts"
import { operatorLinks } from "./OperatorLinks.ts"

/** Choosing a name: the rule as one types, and whether the name is free. */
@customElement("kez-name-step")
export class NameStep extends Step {
  static override styles = [
    shared,
    stepStyles,
    css`
      .said {
        min-height: 1.5em;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--space-2);
        color: var(--soft);
      }
      .said.free {
        color: var(--accent);
        font-weight: 600;
      }
      .said.no {
        color: var(--danger);
      }
    `
  ]

  @property() server = ""
  @property() name = ""
  /** Undefined while the name is empty or breaks the rule. */
  @property({ attribute: false }) status: HandleStatus | "checking" | undefined
  /** Free names like the one that is taken. */
  @property({ attribute: false }) suggestions: ReadonlyArray<string> = []
  /** Undefined where the home asks for no invite. */
  @property({ attribute: false }) invite: string | undefined
  /** The home takes no new accounts. */
  @property({ type: Boolean }) closed = false
  /** What the operator publishes. */
  @property({ attribute: false }) operator: Operator = {}
  @query("kez-field") private readonly field!: Field
  @query("kez-field.invite") private readonly inviteField!: Field

  protected override render() {
    const { signUp } = this.texts
    return html`${this.back()}
      <h1 tabindex="-1">${signUp.nameTitle}</h1>
      <p class="lead">${signUp.nameLead}</p>
      <form class="fields" @submit=${this.#submit}>
        <kez-field
          label=${signUp.nameLabel}
          name="username"
          autocomplete="username"
          .value=${this.name}
          .hint=${this.#isShort ? signUp.nameShort : signUp.nameRule}
          .error=${this.#broken()}
          @input=${() => this.emit("kez-name", this.field.value)}
        >
          <span slot="suffix">@${this.server}</span>
        </kez-field>
        ${this.#said()}
        ${
          this.invite === undefined
            ? nothing
            : html`<kez-field
                class="invite"
                code
                autocomplete="off"
                label=${signUp.inviteLabel}
                .value=${this.invite}
                .hint=${signUp.inviteHint(this.server)}
                @input=${() => this.emit("kez-invite", this.inviteField.value)}
              ></kez-field>`
        }
        ${this.closed ? html`<kez-note>${signUp.closed(this.server)}</kez-note>` : nothing}
        <div class="actions">
          <kez-button kind="primary" type="submit" ?disabled=${!this.#isComplete}>${signUp.next}</kez-button>
        </div>
        <p class="said">${operatorLinks(this.operator, signUp)}</p>
      </form>`
  }

  get #isComplete(): boolean {
    return this.status === "free" && this.invite?.trim() !== "" && !this.closed
  }

  /** Not wrong, only not finished. */
  get #isShort(): boolean {
    return this.name !== "" && handleProblem(this.name)?.reason === "short"
  }

  #broken(): string {
    const { signUp } = this.texts
    if (this.name === "") return ""
    const problem = handleProblem(this.name)
    switch (problem?.reason) {
      case undefined:
      case "short":
        return ""
      case "character":
        return signUp.nameCharacters(problem.found)
      case "start":
        return signUp.nameStart
      case "long":
        return signUp.nameLong
    }
  }

  #said() {
    const { signUp } = this.texts
    const { status } = this
    const handle = `${this.name}@${this.server}`
    if (status === undefined) return html`<div class="said" role="status"></div>`
    if (typeof status === "object") {
      const time = new Date(status.limitedUntil).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })
      return html`<div class="said no" role="status">${signUp.nameLimited(time)}</div>`
    }
    switch (status) {
      case "checking":
        return html`<div class="said" role="status">${signUp.nameChecking}</div>`
      case "free":
        return html`<div class="said free" role="status">
          <kez-icon name="check"></kez-icon><bdi>${signUp.nameFree(handle)}</bdi>
        </div>`
      case "taken":
        return html`<div class="said no" role="status">
            <bdi>${this.suggestions.length === 0 ? signUp.nameTakenAlone(handle) : signUp.nameTaken(handle)}</bdi>
          </div>
          ${
            this.suggestions.length === 0
              ? nothing
              : html`<div class="said">
                  ${this.suggestions.map(
                    (name) => html`<kez-button @click=${() => this.emit("kez-name", name)}>${name}</kez-button>`
                  )}
                </div>`
          }`
      case "reserved":
        return html`<div class="said no" role="status"><bdi>${signUp.nameReserved(handle)}</bdi></div>`
      case "invalid":
        return html`<div class="said no" role="status">${signUp.nameInvalid(this.server)}</div>`
      case "unreachable":
        return html`<div class="said no" role="status">${signUp.nameUnreachable(this.server)}</div>`
    }
  }

  #submit(event: Event): void {
    event.preventDefault()
    if (this.#isComplete) this.emit("kez-next")
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-name-step": NameStep
  }
}
