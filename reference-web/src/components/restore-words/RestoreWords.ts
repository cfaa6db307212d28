import { css, html, nothing, type PropertyValues } from "lit"
import { customElement, property } from "lit/decorators.js"
import { live } from "lit/directives/live.js"
import "../../elements/note/Note.ts"
import { shared } from "../../styles/shared.ts"
import type { WordsCheck } from "@kez-chat/sdk/web-page"
import { Step, stepStyles } from "../step/Step.ts"

const count = 24

/** The words of a text: numbers, dots and commas of a list between them do not matter. */
export const wordsOf = (text: string): ReadonlyArray<string> => text.toLowerCase().match(/\p{L}+/gu) ?? []

/** 24 fields for the words; all of them may be pasted into any. */
@customElement("kez-restore-words")
export class RestoreWords extends Step {
  static override styles = [
    shared,
    stepStyles,
    css`
      :host {
        max-width: 44rem;
      }
      fieldset {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr));
        gap: var(--space-2);
        margin: var(--space-5) 0 0;
        padding: 0;
        border: 0;
      }
      label {
        display: flex;
        align-items: center;
        min-height: max(var(--target), 2.5rem);
        padding-left: var(--space-2);
        border: 1px solid var(--edge);
        border-radius: var(--radius-input);
        background: var(--surface);
      }
      label:focus-within {
        outline: 3px solid var(--focus);
        outline-offset: 1px;
      }
      label.wrong {
        border-color: var(--danger);
        background: var(--danger-soft);
      }
      .number {
        flex: none;
        width: 1.4em;
        color: var(--faint);
        font-size: var(--text-small);
        font-variant-numeric: tabular-nums;
        text-align: right;
      }
      label.wrong .number {
        color: var(--danger);
      }
      input {
        min-width: 0;
        width: 100%;
        align-self: stretch;
        padding: 0 var(--space-2);
        border: 0;
        background: transparent;
        font-family: var(--mono);
      }
      input:focus-visible {
        outline: none;
      }
      .count {
        margin-top: var(--space-3);
        color: var(--soft);
        font-size: var(--text-small);
      }
      @container (max-width: 28rem) {
        fieldset {
          grid-template-columns: 1fr 1fr;
        }
      }
    `
  ]

  /** What is typed, by place. */
  @property({ attribute: false }) words: ReadonlyArray<string> = []
  /** What was wrong when it was checked; a change to the words clears it. */
  @property({ attribute: false }) found: Extract<WordsCheck, { ok: false }> | undefined
  @property({ type: Boolean }) busy = false

  protected override render() {
    const { signUp } = this.texts
    const { found } = this
    const filled = this.#filled
    const complete = this.#complete
    return html`${this.back()}
      <h1 tabindex="-1">${signUp.restoreTitle}</h1>
      <p class="lead">${signUp.restoreLead}</p>
      ${this.#found()}
      <form @submit=${this.#submit}>
        <fieldset @paste=${this.#paste} @keydown=${this.#key}>
          <legend class="visually-hidden">${signUp.restoreGroup}</legend>
          ${Array.from({ length: count }, (_, index) => {
            const wrong = found?.reason === "word" && found.index === index
            return html`<label class=${wrong ? "wrong" : ""}>
              <span class="number" aria-hidden="true">${index + 1}</span>
              <input
                data-index=${index}
                aria-label=${signUp.restoreWord(index + 1)}
                aria-invalid=${wrong ? "true" : "false"}
                aria-describedby=${wrong ? "found" : nothing}
                autocomplete="off"
                autocapitalize="none"
                autocorrect="off"
                spellcheck="false"
                enterkeyhint="next"
                .value=${live(this.words[index] ?? "")}
                @input=${(event: Event) => this.#set(index, (event.target as HTMLInputElement).value)}
              />
            </label>`
          })}
        </fieldset>
        <p class="count" role="status">${complete || found !== undefined ? "" : signUp.restoreCount(filled)}</p>
        <div class="actions">
          <kez-button kind="primary" type="submit" ?disabled=${!complete} ?busy=${this.busy}
            >${signUp.restoreNext}</kez-button
          >
          <kez-button kind="quiet" ?disabled=${filled === 0} @click=${() => this.#clear()}
            >${signUp.restoreClear}</kez-button
          >
        </div>
      </form>`
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("found") && this.found?.reason === "word" && this.found.index !== undefined)
      this.#focus(this.found.index)
  }

  get #filled(): number {
    return this.words.filter((word) => word !== undefined && word !== "").length
  }

  /** 24, or the 12 of other programs, without gaps. */
  get #complete(): boolean {
    const filled = this.#filled
    return filled === count || (filled === 12 && this.words.slice(0, 12).every((word) => word !== ""))
  }

  #found() {
    const { signUp } = this.texts
    const { found } = this
    if (found === undefined || found.reason === "count") return nothing
    if (found.reason === "checksum" || found.index === undefined)
      return html`<kez-note id="found" kind="danger" live>${signUp.restoreChecksum}</kez-note>`
    const { index, suggestions = [] } = found
    return html`<kez-note id="found" kind="danger" live>
      <p>
        ${signUp.restoreUnknown(this.words[index] ?? "", index + 1)}
        ${suggestions.length > 0 ? signUp.restoreSuggestions : ""}
      </p>
      ${suggestions.map(
        (suggestion) =>
          html`<kez-button slot="actions" @click=${() => this.#suggested(index, suggestion)}>${suggestion}</kez-button>`
      )}
    </kez-note>`
  }

  #focus(index: number): void {
    this.renderRoot.querySelector<HTMLInputElement>(`[data-index="${Math.min(index, count - 1)}"]`)?.focus()
  }

  #set(index: number, text: string): void {
    const words = Array.from({ length: count }, (_, at) => this.words[at] ?? "")
    const typed = wordsOf(text)
    // Autofill and some keyboards give several words at once.
    if (typed.length > 1) return this.#fill(index, typed)
    words[index] = typed[0] ?? ""
    this.words = words
    this.found = undefined
    if (/\s$/.test(text) && typed.length === 1) this.#focus(index + 1)
  }

  /** Puts words into the fields from `index` on, or all of them from the first when they are a whole account. */
  #fill(index: number, typed: ReadonlyArray<string>): void {
    const start = typed.length >= count || typed.length === 12 ? 0 : index
    const words =
      start === 0 && typed.length >= 12 ? [] : Array.from({ length: count }, (_, at) => this.words[at] ?? "")
    for (const [at, word] of typed.entries()) if (start + at < count) words[start + at] = word
    this.words = words
    this.found = undefined
    this.#focus(start + typed.length)
  }

  #paste(event: ClipboardEvent): void {
    const typed = wordsOf(event.clipboardData?.getData("text") ?? "")
    const index = Number((event.target as HTMLElement).dataset["index"] ?? 0)
    if (typed.length < 2) return
    event.preventDefault()
    this.#fill(index, typed)
  }

  #key(event: KeyboardEvent): void {
    const input = event.target as HTMLInputElement
    const index = Number(input.dataset["index"])
    if (event.key === " " && input.value !== "" && input.selectionStart === input.value.length) {
      event.preventDefault()
      this.#focus(index + 1)
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault()
      if (input.value === "" || index === count - 1) input.form?.requestSubmit()
      else this.#focus(index + 1)
    } else if (event.key === "Backspace" && input.value === "" && index > 0) {
      event.preventDefault()
      this.#focus(index - 1)
    }
  }

  #suggested(index: number, word: string): void {
    this.#set(index, word)
    this.#focus(index)
  }

  #clear(): void {
    this.clear()
    this.#focus(0)
  }

  /** Forgets what is typed. */
  clear(): void {
    this.words = []
    this.found = undefined
  }

  #submit(event: Event): void {
    event.preventDefault()
    if (this.#complete && !this.busy) this.emit("kez-words", this.words.filter((word) => word !== "").join(" "))
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-restore-words": RestoreWords
  }
}
