import { css, html, type PropertyValues } from "lit"
import { customElement, property } from "lit/decorators.js"
import "../../elements/field/Field.ts"
import type { Field } from "../../elements/field/Field.ts"
import "../../elements/note/Note.ts"
import { shared } from "../../styles/shared.ts"
import { Step, stepStyles } from "../step/Step.ts"

/** Words asked for. */
const asked = 4

/** `asked` different places of `count`, in ascending order. */
export const randomPlaces = (count: number): ReadonlyArray<number> => {
  const places = Array.from({ length: count }, (_, index) => index)
  const random = crypto.getRandomValues(new Uint32Array(asked))
  return Array.from(random, (value) => places.splice(value % places.length, 1)[0]!).sort((one, other) => one - other)
}

/** Some of the words, asked for at random places, so that the paper is right. */
@customElement("kez-words-check")
export class WordsCheck extends Step {
  static override styles = [
    shared,
    stepStyles,
    css`
      .questions {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr));
        gap: var(--space-4);
      }
    `
  ]

  @property({ attribute: false }) words: ReadonlyArray<string> = []
  /** Places asked for, from 0; random ones if none are given. */
  @property({ attribute: false }) places: ReadonlyArray<number> = []
  /** What is typed, by place. */
  @property({ attribute: false }) typed: Readonly<Record<number, string>> = {}
  /** Mark what is wrong. */
  @property({ type: Boolean }) checked = false
  /** All were right. */
  @property({ type: Boolean }) right = false

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("words") && this.places.length === 0 && this.words.length > 0)
      this.places = randomPlaces(this.words.length)
  }

  protected override render() {
    const { signUp } = this.texts
    return html`${this.back()}
      <h1 tabindex="-1">${this.right ? signUp.checkRightTitle : signUp.checkTitle}</h1>
      ${
        this.right
          ? html`<kez-note kind="good" live>${signUp.checkRight}</kez-note>
              <div class="actions">
                <kez-button kind="primary" @click=${() => this.emit("kez-next")}>${signUp.next}</kez-button>
              </div>`
          : html`<p class="lead">${signUp.checkLead}</p>
              <form class="fields" @submit=${this.#submit}>
                <div class="questions">
                  ${this.places.map(
                    (place) =>
                      html`<kez-field
                        code
                        label=${signUp.checkWord(place + 1)}
                        data-place=${place}
                        .value=${this.typed[place] ?? ""}
                        .error=${this.#error(place)}
                        @input=${(event: Event) => this.#input(place, event)}
                      ></kez-field>`
                  )}
                </div>
                <div class="actions">
                  <kez-button kind="primary" type="submit">${signUp.check}</kez-button>
                  <kez-button kind="quiet" @click=${() => this.emit("kez-back")}>${signUp.checkLook}</kez-button>
                </div>
              </form>`
      }`
  }

  #isRight(place: number): boolean {
    return (this.typed[place] ?? "").trim().toLowerCase() === this.words[place]
  }

  #error(place: number): string {
    if (!this.checked || this.#isRight(place)) return ""
    const { signUp } = this.texts
    return (this.typed[place] ?? "").trim() === "" ? signUp.checkMissing(place + 1) : signUp.checkWrong(place + 1)
  }

  #input(place: number, event: Event): void {
    this.typed = { ...this.typed, [place]: (event.target as Field).value }
  }

  #submit(event: Event): void {
    event.preventDefault()
    this.checked = true
    const wrong = this.places.find((place) => !this.#isRight(place))
    if (wrong !== undefined) {
      this.renderRoot.querySelector<Field>(`[data-place="${wrong}"]`)?.focus()
      return
    }
    this.typed = {}
    this.right = true
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("kez-button[kind=primary]")?.focus())
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-words-check": WordsCheck
  }
}
