import type { Rotation } from "@kez-chat/sdk/promise"
import { css, html, type PropertyValues, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../elements/note/Note.ts"
import { Part, partStyles } from "../part/Part.ts"
import "../passphrase-dialog/PassphraseDialog.ts"
import "../restore-words/RestoreWords.ts"
import type { RestoreWords } from "../restore-words/RestoreWords.ts"
import "../words-check/WordsCheck.ts"
import "../words-step/WordsStep.ts"

/** The steps as they are done, in order. */
const steps = ["saved", "published", "rotated", "transferred", "finished"] as const

/**
 * A new key for the account: what it means, new words shown and checked, and the steps as they are done. One that was
 * begun goes on where it was.
 */
@customElement("kez-settings-rotate")
export class SettingsRotate extends Part {
  static override styles = [
    ...partStyles,
    css`
      ul,
      ol {
        display: grid;
        gap: var(--space-2);
        margin: 0;
        padding-left: 1.25em;
      }
      ol {
        padding: 0;
        list-style: none;
      }
      ol li {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        color: var(--soft);
      }
      ol li.done {
        color: var(--ink);
      }
      ol kez-icon {
        color: var(--accent);
      }
      ol li:not(.done) kez-icon {
        visibility: hidden;
      }
    `
  ]

  /** Name of the home server. */
  @property() server = ""
  /** The words of the new key, once there are some. */
  @property({ attribute: false }) words: ReadonlyArray<string> = []
  /** What is done of a rotation; undefined where none was begun. */
  @property({ attribute: false }) rotation: Rotation | undefined
  /** The key that another device, or somebody else, handed the account over to. */
  @property() movedTo = ""
  @property({ type: Boolean }) busy = false
  /** What is wrong with the words of the new key that were entered. */
  @property({ attribute: false }) found: RestoreWords["found"]
  /** Entered words that are right: the passphrase is asked for. */
  @property() entered = ""
  /** Why the last step was not done. */
  @property() failed = ""
  @state() private step: "intro" | "words" | "check" | "enter" = "intro"
  @state() private seen = false
  @state() private asking = false

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("entered") && this.entered !== "") this.asking = true
    // The passphrase was right.
    if (changed.has("rotation") || changed.has("movedTo")) this.asking = false
  }

  protected override render() {
    const { settings } = this.texts
    if (this.step === "enter" && this.movedTo !== "")
      return html`<kez-restore-words
          .found=${this.found}
          .busy=${this.busy}
          @kez-words=${(event: CustomEvent<string>) => {
            event.stopPropagation()
            this.change("kez-action", { _tag: "enterWords", words: event.detail })
          }}
          @kez-back=${(event: Event) => this.#show(event, "intro")}
        ></kez-restore-words>
        ${this.#dialog()}`
    if (this.rotation === undefined && this.movedTo === "") {
      if (this.step === "words")
        return html`<kez-words-step
          .words=${this.words}
          .seen=${this.seen}
          @kez-shown=${() => (this.seen = true)}
          @kez-print=${() => {
            this.seen = true
            this.change("kez-action", { _tag: "printWords" })
          }}
          @kez-next=${(event: Event) => this.#show(event, "check")}
          @kez-back=${(event: Event) => this.#show(event, "intro")}
        ></kez-words-step>`
      if (this.step === "check")
        return html`<kez-words-check
            .words=${this.words}
            @kez-next=${(event: Event) => {
              event.stopPropagation()
              this.asking = true
            }}
            @kez-back=${(event: Event) => this.#show(event, "words")}
          ></kez-words-check
          >${this.#dialog()}`
    }
    return html`${this.head(settings.parts.rotate.title)}
      <section>${this.movedTo === "" ? this.#body() : this.#moved()}</section>
      ${this.#dialog()}`
  }

  #body(): TemplateResult {
    const { common, settings } = this.texts
    const { rotation } = this
    if (rotation === undefined)
      return html`<p>${settings.rotateWhen}</p>
        <ul>
          ${settings.rotateMeans.map((text) => html`<li>${text}</li>`)}
        </ul>
        <kez-note kind="warn">${settings.rotateWarning}</kez-note>
        <kez-button kind="primary" @click=${this.#begin}>${settings.rotateBegin}</kez-button>
        ${this.problem(this.failed)}`
    const done = steps.indexOf(rotation.step)
    const isFinished = rotation.step === "finished"
    return html`<div role="status">
        <ol>
          ${steps.map(
            (step, index) =>
              html`<li class=${index <= done ? "done" : ""}>
                <kez-icon name="check"></kez-icon>
                <span
                  >${settings.rotateSteps(this.server)[step]}<span class="visually-hidden"
                    >, ${index <= done ? settings.rotateDone : settings.rotateOpen}</span
                  ></span
                >
              </li>`
          )}
        </ol>
      </div>
      ${
        isFinished
          ? html`<kez-note kind="good" live>${settings.rotateFinished}</kez-note>`
          : html`${this.problem(this.failed === "" ? "" : common.failed(this.failed))}
              <p class="help">${done < steps.indexOf("rotated") ? settings.rotateUndone : settings.rotateNoWayBack}</p>
              <kez-button kind="primary" ?busy=${this.busy} @click=${() => (this.asking = true)}
                >${settings.rotateResume}</kez-button
              >`
      }`
  }

  #moved(): TemplateResult {
    const { settings } = this.texts
    return html`<kez-note kind="danger">${settings.rotateMoved}</kez-note>
      <p>${settings.rotateMovedHelp}</p>
      <kez-button kind="primary" @click=${(event: Event) => this.#show(event, "enter")}
        >${settings.rotateMovedEnter}</kez-button
      >
      <p class="help">${settings.rotateMovedElse}</p>`
  }

  #dialog(): TemplateResult {
    const { settings } = this.texts
    return html`<kez-passphrase-dialog
      .open=${this.asking}
      heading=${settings.rotatePassphrase}
      .busy=${this.busy}
      .failed=${this.asking ? this.failed : ""}
      @kez-close=${() => (this.asking = false)}
      @kez-unlock=${({ detail }: CustomEvent<string>) => {
        this.change("kez-action", { _tag: this.movedTo === "" ? "rotate" : "followMove", passphrase: detail })
      }}
    ></kez-passphrase-dialog>`
  }

  readonly #begin = (event: Event): void => {
    this.change("kez-action", { _tag: "newWords" })
    this.#show(event, "words")
  }

  #show(event: Event, step: typeof this.step): void {
    event.stopPropagation()
    this.step = step
    void this.#focus()
  }

  async #focus(): Promise<void> {
    await this.updateComplete
    const inner = this.renderRoot.querySelector<Part>("kez-words-step, kez-words-check, kez-restore-words")
    await inner?.updateComplete
    if (inner === null) this.focusHeading()
    else inner.focusHeading()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-rotate": SettingsRotate
  }
}
