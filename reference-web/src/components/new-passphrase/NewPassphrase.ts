import { css, html, nothing, type PropertyValues } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../elements/field/Field.ts"
import type { Field } from "../../elements/field/Field.ts"
import "../../elements/note/Note.ts"
import { shared } from "../../styles/shared.ts"
import { nameOf, Step, stepStyles } from "../step/Step.ts"
import { username } from "../step/Username.ts"
import { minLength, strengthOf } from "./PassphraseRule.ts"

/** How full the bar is, by strength. */
const fullness = { short: 0, common: 0, enough: 1, good: 2, strong: 3 } as const

/** Choosing the passphrase of this browser. What is typed is forgotten once it was handed on. */
@customElement("kez-new-passphrase")
export class NewPassphrase extends Step {
  static override styles = [
    shared,
    stepStyles,
    css`
      :host([plain]) {
        max-width: none;
        padding: 0;
      }
      :host([plain]) .fields {
        margin-top: var(--space-4);
      }
      .fields kez-note {
        margin-top: 0;
      }
      .strength {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        min-height: 1.5em;
        margin-top: calc(-1 * var(--space-2));
        color: var(--soft);
        font-size: var(--text-small);
      }
      .bar {
        display: inline-flex;
        gap: var(--space-1);
      }
      .bar span {
        width: 2rem;
        height: 0.375rem;
        border: 1px solid var(--edge);
        border-radius: 999px;
      }
      .bar .on {
        border-color: var(--accent);
        background: var(--accent);
      }
      .suggest {
        justify-self: start;
        margin-left: calc(-1 * var(--space-4));
      }
      .spinner {
        width: 1em;
        height: 1em;
        border: 2px solid currentColor;
        border-right-color: transparent;
        border-radius: 50%;
        animation: turn 900ms linear infinite;
      }
      @keyframes turn {
        to {
          transform: rotate(1turn);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .spinner {
          animation: none;
        }
      }
    `
  ]

  @property() handle = ""
  /** What a passphrase manager or a person suggests; fills both fields and shows them. */
  @property() suggested = ""
  /** While the key is sealed with it. */
  @property({ type: Boolean }) busy = false
  /** What went wrong with the last one. */
  @property() failed = ""
  /** Without heading and back button, inside another screen. */
  @property({ type: Boolean, reflect: true }) plain = false
  /** What is typed; from outside only in stories. */
  @property({ attribute: false }) first = ""
  @property({ attribute: false }) second = ""
  /** Mark what is wrong. */
  @property({ type: Boolean }) checked = false
  @state() private taken = ""

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("suggested") || this.suggested === "") return
    this.first = this.suggested
    this.second = this.suggested
    this.taken = this.suggested
  }

  protected override render() {
    const { settings, signUp } = this.texts
    return html`${
        this.plain
          ? nothing
          : html`${this.back()}
              <h1 tabindex="-1">${signUp.passphraseTitle}</h1>
              <p class="lead">${signUp.passphraseLead}</p>`
      }
      <form class="fields" @submit=${this.#submit}>
        ${username(this.handle)}
        ${this.#field("first", this.plain ? settings.passphraseNew : signUp.passphrase, this.#firstError(), signUp.passphraseRule)}
        ${this.#strength()} ${this.#field("second", signUp.passphraseRepeat, this.#secondError(), "")}
        ${
          this.taken !== "" && this.taken === this.first
            ? html`<kez-note live
                ><code translate="no">${this.taken}</code>
                <p>${signUp.passphraseSuggested}</p></kez-note
              >`
            : html`<kez-button class="suggest" kind="quiet" @click=${() => this.emit("kez-suggest")}
                >${signUp.passphraseSuggest}</kez-button
              >`
        }
        ${this.problem(this.failed)}
        <div class="actions">
          <kez-button kind="primary" type="submit" ?busy=${this.busy}
            >${this.busy ? html`<span class="spinner"></span>${signUp.sealing}` : this.plain ? settings.passphraseChange : signUp.passphraseSet}</kez-button
          >
        </div>
      </form>`
  }

  #field(which: "first" | "second", label: string, error: string, hint: string) {
    const { common } = this.texts
    return html`<kez-field
      id=${which}
      type="password"
      name=${which === "first" ? "new-password" : "repeat-password"}
      autocomplete="new-password"
      label=${label}
      .hint=${hint}
      .error=${error}
      .value=${this[which]}
      .showLabel=${common.show}
      .hideLabel=${common.hide}
      @input=${(event: Event) => (this[which] = (event.target as Field).value)}
    ></kez-field>`
  }

  get #strengthOfFirst() {
    return strengthOf(this.first, nameOf(this.handle))
  }

  #strength() {
    const { signUp } = this.texts
    const strength = this.#strengthOfFirst
    // It is there from the beginning, so that nothing moves below it.
    const said = {
      short: this.first === "" ? "" : signUp.passphraseShort(minLength - Array.from(this.first).length),
      common: "",
      enough: signUp.passphraseEnough,
      good: signUp.passphraseGood,
      strong: signUp.passphraseStrong
    }[strength]
    return html`<div class="strength" role="status">
      <span class="bar" aria-hidden="true"
        >${[1, 2, 3].map((step) => html`<span class=${step <= fullness[strength] ? "on" : ""}></span>`)}</span
      >
      ${said}
    </div>`
  }

  #firstError(): string {
    const { signUp } = this.texts
    const strength = this.#strengthOfFirst
    if (this.first !== "" && strength === "common") return signUp.passphraseCommon
    return this.checked && strength === "short" ? signUp.passphraseRule : ""
  }

  #secondError(): string {
    const differ = this.first !== this.second
    // Not while the second one is still being typed.
    return differ && (this.checked || !this.first.startsWith(this.second)) ? this.texts.signUp.passphraseDifferent : ""
  }

  #submit(event: Event): void {
    event.preventDefault()
    if (this.busy) return
    this.checked = true
    const strength = this.#strengthOfFirst
    if (strength === "short" || strength === "common") return this.renderRoot.querySelector<Field>("#first")?.focus()
    if (this.first !== this.second) return this.renderRoot.querySelector<Field>("#second")?.focus()
    if (this.emit("kez-passphrase", this.first)) this.clear()
  }

  /** Forgets what is typed. */
  clear(): void {
    this.first = ""
    this.second = ""
    this.taken = ""
    this.suggested = ""
    this.checked = false
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-new-passphrase": NewPassphrase
  }
}
