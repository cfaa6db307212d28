import { consume } from "@lit/context"
import { html, LitElement, type PropertyValues } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../components/new-passphrase/NewPassphrase.ts"
import "../../components/restore-words/RestoreWords.ts"
import "../../components/restored/Restored.ts"
import type { RestoreProgress } from "../../components/restored/Restored.ts"
import { focusStep } from "../../components/step/Step.ts"
import { accountContext } from "../../context.ts"
import { errorText, problemCode } from "../../controllers/Errors.ts"
import { markWordsChecked } from "../../controllers/Preferences.ts"
import { go } from "../../controllers/Route.ts"
import { shared } from "../../styles/shared.ts"
import type { WebAccount, WordsCheck } from "@kez-chat/sdk/web-page"
import "../sign-up/SignUp.ts"

type Step = "words" | "passphrase" | "progress" | "name"

/**
 * Brings an account back from its words. They are in this element only, until the key is sealed.
 *
 * @fires kez-back - Back from the first step.
 * @fires kez-held - As of `kez-sign-up`.
 */
@customElement("kez-restore")
export class Restore extends LitElement {
  static override styles = [shared]

  /** Whose words they are, where this browser knows. */
  @property() handle = ""
  @consume({ context: accountContext }) private account: WebAccount | undefined
  @state() private step: Step = "words"
  @state() private found: Extract<WordsCheck, { ok: false }> | undefined
  @state() private checking = false
  @state() private suggested = ""
  @state() private progress: RestoreProgress = { _tag: "looking" }
  @state() private entered: ReadonlyArray<string> = []
  @state() private known: { readonly words: string; readonly passphrase: string } | undefined
  #words = ""
  #passphrase = ""
  #abort: AbortController | undefined

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#abort?.abort()
    this.#forget()
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("step") || changed.has("progress")) {
      const before = changed.get("progress") as RestoreProgress | undefined
      if (changed.has("step") || before?._tag !== this.progress._tag) void focusStep(this)
    }
  }

  protected override render() {
    switch (this.step) {
      case "words":
        return html`<kez-restore-words
          data-step
          .words=${this.entered}
          .found=${this.found}
          .busy=${this.checking}
          @kez-words=${(event: CustomEvent<string>) => this.#check(event.detail)}
        ></kez-restore-words>`
      case "passphrase":
        return html`<kez-new-passphrase
          data-step
          .handle=${this.handle}
          .suggested=${this.suggested}
          @kez-suggest=${this.#suggest}
          @kez-passphrase=${(event: CustomEvent<string>) => this.#restore(event.detail)}
          @kez-back=${this.#again}
        ></kez-new-passphrase>`
      case "progress":
        return html`<kez-restored
          data-step
          .server=${this.account?.home.name ?? ""}
          .progress=${this.progress}
          @kez-retry=${() => this.#restore(this.#passphrase)}
          @kez-back=${this.#again}
          @kez-sign-up=${this.#nameNeeded}
          @kez-done=${this.#done}
        ></kez-restored>`
      case "name":
        return html`<kez-sign-up data-step .known=${this.known} @kez-back=${this.#again}></kez-sign-up>`
    }
  }

  readonly #again = (event: Event): void => {
    event.stopPropagation()
    this.entered = this.#words.split(" ")
    this.#passphrase = ""
    this.known = undefined
    this.step = "words"
    this.#hold(false)
  }

  async #check(text: string): Promise<void> {
    this.checking = true
    try {
      const checked = await this.account!.checkWords(text)
      if (!checked.ok) {
        this.found = checked
        return
      }
      this.found = undefined
      this.#words = checked.words
      this.step = "passphrase"
    } finally {
      this.checking = false
    }
  }

  readonly #suggest = async (): Promise<void> => {
    this.suggested = (await this.account!.newWords()).split(" ").slice(0, 4).join(" ")
  }

  async #restore(passphrase: string): Promise<void> {
    this.#passphrase = passphrase
    this.suggested = ""
    this.progress = { _tag: "looking" }
    this.step = "progress"
    this.#hold(true)
    try {
      const { handle } = await this.account!.restore({ words: this.#words, passphrase })
      this.#forget()
      markWordsChecked()
      this.progress = { _tag: "back", handle, taken: 0, of: 0 }
      await this.#follow(handle)
    } catch (error) {
      this.progress =
        problemCode(error) === "handle_not_found" ? { _tag: "nothing" } : { _tag: "failed", detail: errorText(error) }
    }
  }

  /** Shows how many messages are back, until all are. */
  async #follow(handle: string): Promise<void> {
    this.#abort = new AbortController()
    try {
      for await (const { taken, of } of this.account!.client.catchingUp({ signal: this.#abort.signal }))
        this.progress = { _tag: "back", handle, taken, of }
    } catch {
      // It goes on in the worker; the bar above the conversations shows it.
    }
  }

  readonly #nameNeeded = (): void => {
    this.known = { words: this.#words, passphrase: this.#passphrase }
    this.step = "name"
  }

  readonly #done = (): void => {
    this.#abort?.abort()
    go({ screen: "list" })
    this.#hold(false)
  }

  #hold(held: boolean): void {
    this.dispatchEvent(new CustomEvent("kez-held", { detail: held, bubbles: true, composed: true }))
  }

  #forget(): void {
    this.#words = ""
    this.#passphrase = ""
    this.entered = []
    this.known = undefined
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-restore": Restore
  }
}
