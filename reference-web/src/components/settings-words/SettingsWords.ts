import { css, html, nothing, type PropertyValues } from "lit"
import { customElement, property, query } from "lit/decorators.js"
import { fullDate } from "../../model/Moment.ts"
import "../../elements/field/Field.ts"
import type { Field } from "../../elements/field/Field.ts"
import "../../elements/note/Note.ts"
import "../../elements/switch/Switch.ts"
import type { Switch } from "../../elements/switch/Switch.ts"
import type { VaultSlot } from "@kez-chat/sdk/web-page"
import "../new-passphrase/NewPassphrase.ts"
import { type Action, Part, partStyles } from "../part/Part.ts"
import "../passphrase-dialog/PassphraseDialog.ts"
import "../words-grid/WordsGrid.ts"

/** What opens the account: words, passphrase, passkeys. */
@customElement("kez-settings-words")
export class SettingsWords extends Part {
  static override styles = [
    ...partStyles,
    css`
      kez-words-grid,
      .change,
      ul {
        justify-self: stretch;
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: var(--space-4);
      }
      .change {
        padding: var(--space-4);
        border: 1px solid var(--line);
        border-radius: var(--radius-card);
      }
    `
  ]

  @property() handle = ""
  /** The words while they are shown. */
  @property({ attribute: false }) words: ReadonlyArray<string> = []
  /** When they were last checked, milliseconds since the epoch. */
  @property({ attribute: false }) checkedAt: number | undefined
  /** What opens the vault. */
  @property({ attribute: false }) slots: ReadonlyArray<VaultSlot> = []
  /** Passkeys can be added here. */
  @property({ type: Boolean }) passkeys = false
  @property({ type: Boolean }) askOnReload = false
  @property() suggested = ""
  /** What is open: the passphrase for the words, or the change of the passphrase. */
  @property() asking: "" | "showWords" | "checkWords" | "passphrase" = ""
  /** What is under way, or failed. */
  @property() busy: "" | Action["_tag"] = ""
  @property() failed = ""
  /** What succeeded last. */
  @property() done: "" | Action["_tag"] = ""
  @query("#current") private readonly current!: Field | null

  protected override willUpdate(changed: PropertyValues<this>): void {
    const shown = changed.has("words") && this.words.length > 0
    if (shown || (changed.has("done") && this.done === "changePassphrase")) this.asking = ""
  }

  protected override render() {
    const { settings } = this.texts
    const asked = this.asking === "showWords" || this.asking === "checkWords" ? this.asking : undefined
    return html`${this.head(settings.parts.words.title)}
      <section>
        <h2>${settings.wordsShowTitle}</h2>
        <p class="help">
          ${settings.wordsShowHelp}
          ${this.checkedAt === undefined ? settings.wordsNeverChecked : settings.wordsChecked(fullDate(this.checkedAt))}
        </p>
        ${this.#words()}
      </section>
      <section>
        <h2>${settings.passphraseTitle}</h2>
        <p class="help">${settings.passphraseHelp}</p>
        ${this.#passphrase()}
        <kez-switch
          label=${settings.askOnReload}
          hint=${settings.askOnReloadHelp}
          .checked=${this.askOnReload}
          @change=${(event: Event) => this.#act({ _tag: "askOnReload", on: (event.target as Switch).checked })}
        ></kez-switch>
      </section>
      <section>
        <h2>${settings.passkeysTitle}</h2>
        <p class="help">${settings.passkeysHelp}</p>
        ${this.#passkeys()}
      </section>
      <kez-passphrase-dialog
        .handle=${this.handle}
        heading=${asked === "checkWords" ? settings.wordsCheck : settings.wordsShowTitle}
        .open=${asked !== undefined}
        .busy=${this.busy === asked}
        .failed=${asked === undefined ? "" : this.failed}
        @kez-close=${this.#close}
        @kez-unlock=${({ detail }: CustomEvent<string>) => {
          if (asked !== undefined) this.#act({ _tag: asked, passphrase: detail })
        }}
      ></kez-passphrase-dialog>`
  }

  #act(action: Action): void {
    this.change("kez-action", action)
  }

  readonly #close = (): void => {
    this.asking = ""
    this.failed = ""
  }

  #words() {
    const { settings, signUp } = this.texts
    if (this.words.length === 0)
      return html`<div class="buttons">
        <kez-button @click=${() => (this.asking = "checkWords")}>${settings.wordsCheck}</kez-button>
        <kez-button @click=${() => (this.asking = "showWords")}>${settings.wordsShow}</kez-button>
      </div>`
    return html`<kez-words-grid
        shown
        .words=${this.words}
        @kez-shown=${(event: CustomEvent<boolean>) => {
          if (!event.detail) this.#act({ _tag: "hideWords" })
        }}
      ></kez-words-grid>
      <div class="buttons">
        <kez-button @click=${() => this.#act({ _tag: "printWords" })}
          ><kez-icon name="print"></kez-icon>${signUp.wordsPrint}</kez-button
        >
        <kez-button @click=${() => this.#act({ _tag: "hideWords" })}>${signUp.wordsHide}</kez-button>
      </div>`
  }

  #passphrase() {
    const { common, settings } = this.texts
    if (this.asking !== "passphrase")
      return html`${
          this.done === "changePassphrase"
            ? html`<kez-note kind="good" live>${settings.passphraseChanged}</kez-note>`
            : nothing
        } <kez-button @click=${() => (this.asking = "passphrase")}>${settings.passphraseChange}</kez-button>`
    return html`<div class="change">
      <kez-field
        id="current"
        type="password"
        name="password"
        autocomplete="current-password"
        label=${settings.passphraseCurrent}
        .error=${this.failed}
        .showLabel=${common.show}
        .hideLabel=${common.hide}
      ></kez-field>
      <kez-new-passphrase
        plain
        .handle=${this.handle}
        .suggested=${this.suggested}
        .busy=${this.busy === "changePassphrase"}
        @kez-suggest=${() => this.#act({ _tag: "suggest" })}
        @kez-passphrase=${this.#changePassphrase}
      ></kez-new-passphrase>
      <kez-button kind="quiet" @click=${this.#close}>${common.cancel}</kez-button>
    </div>`
  }

  #changePassphrase(event: CustomEvent<string>): void {
    const passphrase = this.current?.value ?? ""
    if (passphrase === "") {
      event.preventDefault()
      return this.current?.focus()
    }
    this.current!.value = ""
    this.#act({ _tag: "changePassphrase", passphrase, next: event.detail })
  }

  #passkeys() {
    const { settings, signUp } = this.texts
    const passkeys = this.slots.filter((slot) => slot.kind === "passkey")
    return html`${
      passkeys.length === 0
        ? html`<p>${settings.passkeysNone}</p>`
        : html`<ul>
            ${passkeys.map(
              ({ credentialId }, index) =>
                html`<li>
                  ${settings.passkeyNumber(index + 1)}
                  <kez-button kind="quiet" @click=${() => this.#act({ _tag: "removePasskey", credentialId })}
                    >${settings.passkeyRemove}</kez-button
                  >
                </li>`
            )}
          </ul>`
    }
    ${
      this.passkeys
        ? html`<kez-button ?busy=${this.busy === "addPasskey"} @click=${() => this.#act({ _tag: "addPasskey" })}
            >${signUp.passkeyAdd}</kez-button
          >`
        : html`<p class="help">${settings.passkeyUnavailable}</p>`
    }
    ${this.failed !== "" && this.asking === "" ? html`<kez-note live>${this.failed}</kez-note>` : nothing}`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-words": SettingsWords
  }
}
