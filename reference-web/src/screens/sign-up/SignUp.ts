import { consume } from "@lit/context"
import { html, LitElement, type PropertyValues } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../components/creating/Creating.ts"
import { handleProblem, similarNames, typedName } from "../../components/name-step/HandleRule.ts"
import "../../components/name-step/NameStep.ts"
import "../../components/new-passphrase/NewPassphrase.ts"
import "../../components/ready/Ready.ts"
import type { Offer } from "../../components/ready/Ready.ts"
import { focusStep } from "../../components/step/Step.ts"
import "../../components/words-check/WordsCheck.ts"
import "../../components/words-intro/WordsIntro.ts"
import { printWords } from "../../components/words-sheet/WordsSheet.ts"
import "../../components/words-step/WordsStep.ts"
import { accountContext } from "../../context.ts"
import { errorText, problemCode } from "../../controllers/Errors.ts"
import { createPasskey, passkeysAvailable } from "../../controllers/Passkey.ts"
import { markWordsChecked, preference, setPreference } from "../../controllers/Preferences.ts"
import { go } from "../../controllers/Route.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import type { HandleStatus, WebAccount } from "@kez-chat/sdk/web-page"
import { type HomeDescription, homeDescription } from "../../model/HomeDescription.ts"

type Step = "name" | "intro" | "words" | "check" | "passphrase" | "creating" | "ready"

/** Where Back leads. */
const before: Partial<Record<Step, Step>> = { intro: "name", words: "intro", check: "words", passphrase: "words" }

const order = ["sealed", "registered", "published"]

/** Refusals which only another name or invite helps against. */
const unavailable: Readonly<Record<string, "taken" | "refused" | "invite">> = {
  handle_taken: "taken",
  handle_deleted: "refused",
  handle_reserved: "refused",
  handle_malformed: "refused",
  invite_required: "invite",
  invite_invalid: "invite"
}

/** After the last key in the name field, before the server is asked, in milliseconds. */
const quietMillis = 350
/** Between questions while the server does not answer, in milliseconds. */
const againMillis = 5000

/**
 * From a name to an account, a decision at a time. Words and passphrase are in this element only, until the account is
 * made; with `words` and `passphrase` given (a restored key without a name) it goes from the name straight to making it.
 *
 * @fires kez-back - Back from the first step.
 * @fires kez-held - `detail` true: it must stay on the page whatever the account's state, until `detail` false.
 */
@customElement("kez-sign-up")
export class SignUp extends LitElement {
  static override styles = [shared]

  /** Known words and the passphrase, for a key that has no name yet. */
  @property({ attribute: false }) known: { readonly words: string; readonly passphrase: string } | undefined
  @consume({ context: accountContext }) private account: WebAccount | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private step: Step = "name"
  @state() private name = preference("name")
  @state() private status: HandleStatus | "checking" | undefined
  @state() private suggestions: ReadonlyArray<string> = []
  @state() private words: ReadonlyArray<string> = []
  @state() private seen = false
  @state() private suggested = ""
  @state() private done = 0
  @state() private failed = ""
  @state() private unavailable: "" | "taken" | "refused" | "invite" = ""
  @state() private home: HomeDescription | undefined
  @state() private invite = ""
  @state() private passkey: Offer = "none"
  @state() private storage: Offer = "none"
  #passphrase = ""
  #asked = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    if (this.name !== "") this.#ask()
    void this.#describe()
  }

  async #describe(): Promise<void> {
    this.home = this.account && (await homeDescription(this.account.home.url))
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
    this.#forget()
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("step")) void focusStep(this)
  }

  /** A newer build of the page took the account over. */
  get #isOld(): boolean {
    return this.account?.state._tag === "superseded"
  }

  get #server(): string {
    return this.account?.home.name ?? ""
  }

  get #handle(): string {
    return `${this.name}@${this.#server}`
  }

  protected override render() {
    switch (this.step) {
      case "name":
        return html`<kez-name-step
          data-step
          .server=${this.#server}
          .name=${this.name}
          .status=${this.status}
          .suggestions=${this.suggestions}
          .invite=${this.home?.registration === "invite" ? this.invite : undefined}
          .closed=${this.home?.registration === "closed"}
          .operator=${this.home?.operator ?? {}}
          @kez-invite=${(event: CustomEvent<string>) => (this.invite = event.detail)}
          @kez-name=${(event: CustomEvent<string>) => this.#typed(event.detail)}
          @kez-next=${this.#named}
          @kez-back=${this.#back}
        ></kez-name-step>`
      case "intro":
        return html`<kez-words-intro
          data-step
          .name=${this.name}
          @kez-next=${() => this.#showWords(false)}
          @kez-print=${() => this.#showWords(true)}
          @kez-back=${this.#back}
        ></kez-words-intro>`
      case "words":
        return html`<kez-words-step
          data-step
          .words=${this.words}
          .seen=${this.seen}
          @kez-shown=${() => (this.seen = true)}
          @kez-print=${this.#print}
          @kez-next=${() => (this.step = "check")}
          @kez-back=${this.#back}
        ></kez-words-step>`
      case "check":
        return html`<kez-words-check
          data-step
          .words=${this.words}
          @kez-next=${this.#checked}
          @kez-back=${this.#back}
        ></kez-words-check>`
      case "passphrase":
        return html`<kez-new-passphrase
          data-step
          .handle=${this.#handle}
          .suggested=${this.suggested}
          @kez-suggest=${this.#suggest}
          @kez-passphrase=${(event: CustomEvent<string>) => this.#create(event.detail)}
          @kez-back=${this.#back}
        ></kez-new-passphrase>`
      case "creating":
        return html`<kez-creating
          data-step
          .handle=${this.#handle}
          .server=${this.#server}
          .done=${this.done}
          .failed=${this.failed}
          .unavailable=${this.unavailable}
          @kez-retry=${() => this.#create(this.#passphrase)}
          @kez-back=${this.#rename}
        ></kez-creating>`
      case "ready":
        return html`<kez-ready
          data-step
          .handle=${this.#handle}
          .passkey=${this.passkey}
          .storage=${this.storage}
          .homeScreen=${needsHomeScreen()}
          @kez-passkey=${this.#addPasskey}
          @kez-persist=${this.#persist}
          @kez-add-contact=${() => this.#leave("new")}
          @kez-done=${() => this.#leave("list")}
        ></kez-ready>`
    }
  }

  readonly #back = (event: Event): void => {
    event.stopPropagation()
    const step = before[this.step]
    if (step === undefined) this.dispatchEvent(new CustomEvent("kez-back"))
    else this.step = step
  }

  #typed(text: string): void {
    this.name = typedName(text, this.#server)
    setPreference("name", this.name)
    this.#ask()
  }

  /** Asks the server for the name, once the typing pauses. Answers about an earlier text are dropped. */
  #ask(afterMillis = quietMillis): void {
    clearTimeout(this.#timer)
    const asked = ++this.#asked
    if (this.name === "" || handleProblem(this.name) !== undefined) {
      this.status = undefined
      return
    }
    if (this.status !== "unreachable" || afterMillis === quietMillis) this.status = "checking"
    this.#timer = setTimeout(async () => {
      const status = await this.#statusOf(this.name)
      if (asked !== this.#asked) return
      const suggestions = status === "taken" ? await this.#freeOnes() : []
      if (asked !== this.#asked) return
      this.suggestions = suggestions
      this.status = status
      if (status === "unreachable") this.#ask(againMillis)
    }, afterMillis)
  }

  async #statusOf(name: string): Promise<HandleStatus> {
    return this.account?.handleStatus(name).catch(() => "unreachable" as const) ?? "unreachable"
  }

  async #freeOnes(): Promise<ReadonlyArray<string>> {
    const names = similarNames(this.name)
    const found = await Promise.all(names.map((name) => this.#statusOf(name)))
    return names.filter((_, index) => found[index] === "free")
  }

  #named(): void {
    if (this.known === undefined) this.step = "intro"
    else {
      this.words = this.known.words.split(" ")
      void this.#create(this.known.passphrase)
    }
  }

  async #showWords(andPrint: boolean): Promise<void> {
    this.step = "words"
    if (this.words.length === 0) this.words = (await this.account!.newWords()).split(" ")
    if (andPrint) await this.#print()
  }

  readonly #print = async (): Promise<void> => {
    this.seen = true
    await printWords({ words: this.words, handle: this.#handle, address: pageAddress() })
  }

  #checked(): void {
    markWordsChecked()
    this.step = "passphrase"
  }

  readonly #suggest = async (): Promise<void> => {
    this.suggested = (await this.account!.newWords()).split(" ").slice(0, 4).join(" ")
  }

  async #create(passphrase: string): Promise<void> {
    this.#passphrase = passphrase
    this.suggested = ""
    this.failed = ""
    this.unavailable = ""
    this.step = "creating"
    this.#hold(true)
    try {
      const invite = this.invite.trim()
      const steps = this.account!.create({
        handle: this.name,
        words: this.words.join(" "),
        passphrase,
        ...(invite === "" ? {} : { invite })
      })
      for await (const step of steps) this.done = order.indexOf(step) + 1
    } catch (error) {
      // A newer build has the account, and resumes its creation.
      if (this.#isOld) return location.reload()
      if (problemCode(error) === "invite_required") await this.#describe()
      this.unavailable = unavailable[problemCode(error) ?? ""] ?? ""
      this.failed = errorText(error)
      return
    }
    this.done = order.length
    this.#forget()
    setPreference("name", "")
    await this.#offers()
    this.step = "ready"
  }

  /** The name cannot be had: the words and the passphrase stay for another one. */
  #rename(event: Event): void {
    event.stopPropagation()
    this.known ??= { words: this.words.join(" "), passphrase: this.#passphrase }
    this.step = "name"
    this.#ask()
  }

  async #offers(): Promise<void> {
    const [passkeys, persisted] = await Promise.all([passkeysAvailable(), isPersisted()])
    this.passkey = passkeys && !this.#isOld ? "offer" : "none"
    this.storage = persisted === undefined ? "none" : persisted ? "done" : "offer"
  }

  readonly #addPasskey = async (): Promise<void> => {
    this.passkey = "busy"
    try {
      await this.account!.addPasskey(await createPasskey(this.#handle))
      this.passkey = "done"
    } catch {
      this.passkey = "failed"
    }
  }

  readonly #persist = async (): Promise<void> => {
    this.storage = "busy"
    this.storage = (await navigator.storage.persist()) ? "done" : "failed"
  }

  #leave(screen: "new" | "list"): void {
    go({ screen })
    this.#hold(false)
  }

  #hold(held: boolean): void {
    this.dispatchEvent(new CustomEvent("kez-held", { detail: held, bubbles: true, composed: true }))
  }

  #forget(): void {
    this.words = []
    this.#passphrase = ""
    this.known = undefined
  }
}

/** Where the page is, without the part after `#`. */
export const pageAddress = (): string => `${location.origin}${location.pathname}`

/** Whether storage is kept for good; undefined where the browser cannot say. */
const isPersisted = async (): Promise<boolean | undefined> => {
  if (typeof navigator.storage?.persist !== "function") return undefined
  return navigator.storage.persisted().catch(() => undefined)
}

/** On iPhone and iPad, in Safari and not on the Home Screen. */
export const needsHomeScreen = (): boolean =>
  /iPhone|iPad/.test(navigator.userAgent) && !matchMedia("(display-mode: standalone)").matches

declare global {
  interface HTMLElementTagNameMap {
    "kez-sign-up": SignUp
  }
  interface HTMLElementEventMap {
    "kez-held": CustomEvent<boolean>
  }
}
