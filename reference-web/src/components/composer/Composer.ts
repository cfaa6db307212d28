import { consume } from "@lit/context"
import { html, LitElement, nothing, type PropertyValues } from "lit"
import { customElement, property, query, state } from "lit/decorators.js"
import { live } from "lit/directives/live.js"
import { preference } from "../../controllers/Preferences.ts"
import "../../elements/copy/Copy.ts"
import "../../elements/icon/Icon.ts"
import "../../elements/note/Note.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import { fileArgument } from "../file-list/FetchCommand.ts"
import { styles } from "./Composer.styles.ts"
import { leftBytes, nearBytes } from "./MessageLength.ts"

/** How long a change of the text waits to be saved, in milliseconds. */
const draftMillis = 250

/** Whether Enter sends and Shift Enter begins a line; touch keyboards have no Shift Enter. */
const enterSends = (): boolean => preference("enter") === "send" && !matchMedia("(pointer: coarse)").matches

/**
 * Where a message is written. It holds no message back: `kez-send` hands the text on and empties it, and the owner puts
 * the text back with `restore` if sending failed.
 *
 * @fires kez-send - `detail` is the text to send.
 * @fires kez-draft - `detail` is the text to keep, at most 250 ms after it changed.
 */
@customElement("kez-composer")
export class Composer extends LitElement {
  static override shadowRootOptions: ShadowRootInit = { ...LitElement.shadowRootOptions, delegatesFocus: true }
  static override styles = [shared, styles]

  /** The kept draft. It takes the place of the text unless somebody is typing here. */
  @property() draft = ""
  /** The other person, as the page names them; empty for notes to self. */
  @property() name = ""
  /** Why the last text was not sent. */
  @property() problem = ""
  /** Why the draft is not stored. */
  @property() unsaved = ""
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private text = ""
  @state() private file = ""
  @query("textarea") private readonly area!: HTMLTextAreaElement
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Somebody wrote or sent something here, of which late reports know nothing. */
  #isTouched = false
  /** The text that the owner knows. */
  #kept = ""

  /** The text as it stands. */
  get value(): string {
    return this.text
  }

  /** Puts a text back that could not be sent, before what was typed since. */
  restore(text: string): void {
    this.#type(this.text === "" ? text : `${text}\n${this.text}`)
  }

  /** Says how to send a file, which this page does not. */
  offer(fileName: string): void {
    this.file = fileName
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener("pagehide", this.#save)
    document.addEventListener("visibilitychange", this.#save)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#save()
    removeEventListener("pagehide", this.#save)
    document.removeEventListener("visibilitychange", this.#save)
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("draft")) return
    const isTyping =
      this.#timer !== undefined || (this.#isTouched && this.matches(":focus-within") && document.hasFocus())
    if (this.draft === this.#kept && this.draft === this.text) return
    if (isTyping) return
    this.text = this.draft
    this.#kept = this.draft
  }

  protected override updated(): void {
    this.#grow()
  }

  protected override render() {
    const texts = this.texts.conversation
    const left = leftBytes(this.text)
    const isLong = left < 0
    const length = isLong ? texts.tooLong(-left) : left < nearBytes ? texts.bytesLeft(left) : ""
    const kept = length === "" && this.unsaved !== "" ? texts.notSaved(this.unsaved) : length
    const said = this.problem === "" ? kept : texts.notSent(this.problem)
    const isWrong = isLong || this.problem !== ""
    return html`${
        this.file === ""
          ? nothing
          : html`<kez-note live>
              <p><b>${texts.filesNeedCli}</b></p>
              <p>${texts.filesNeedCliHint}</p>
              <kez-copy
                text=${texts.shareCommand(this.name === "" ? "…" : this.name, fileArgument(this.file) ?? "…")}
                label=${this.texts.common.copy}
                copiedLabel=${this.texts.common.copied}
              ></kez-copy>
              <kez-button slot="actions" kind="quiet" @click=${() => (this.file = "")}
                >${this.texts.common.close}</kez-button
              >
            </kez-note>`
      }
      <div class="box">
        <textarea
          rows="1"
          dir="auto"
          aria-label=${this.name === "" ? texts.composerNotes : texts.composerLabel(this.name)}
          placeholder=${this.name === "" ? texts.composerNotes : texts.composerLabel(this.name)}
          aria-describedby=${said === "" ? nothing : "said"}
          aria-invalid=${isWrong ? "true" : "false"}
          enterkeyhint=${enterSends() ? "send" : "enter"}
          .value=${live(this.text)}
          @input=${this.#input}
          @keydown=${this.#key}
          @paste=${this.#pasted}
          @blur=${this.#save}
        ></textarea>
        <button
          type="button"
          aria-label=${texts.send}
          title=${texts.send}
          aria-disabled=${isLong || this.text.trim() === "" ? "true" : "false"}
          @click=${this.#send}
        >
          <kez-icon name="send"></kez-icon>
        </button>
      </div>
      <p id="said" class=${isWrong ? "wrong" : ""} aria-live="polite">${said}</p>`
  }

  #type(text: string): void {
    this.text = text
    this.#isTouched = true
    // Not restarted by the next key: the draft is never older than this.
    this.#timer ??= setTimeout(this.#save, draftMillis)
  }

  readonly #save = (): void => {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.text === this.#kept) return
    this.#kept = this.text
    this.dispatchEvent(new CustomEvent("kez-draft", { detail: this.text }))
  }

  #input(): void {
    this.problem = ""
    this.#type(this.area.value)
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.isComposing || event.altKey) return
    const isForced = event.ctrlKey || event.metaKey
    if (!isForced && event.shiftKey === enterSends()) return
    event.preventDefault()
    this.#send()
  }

  #send(): void {
    const { text } = this
    if (text.trim() === "" || leftBytes(text) < 0) return this.area.focus()
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.text = ""
    this.#kept = ""
    this.#isTouched = true
    this.problem = ""
    this.area.focus()
    this.dispatchEvent(new CustomEvent("kez-send", { detail: text }))
  }

  #pasted(event: ClipboardEvent): void {
    const file = event.clipboardData?.files[0]
    // Programs that copy text often add a picture of it.
    if (file === undefined || event.clipboardData?.types.includes("text/plain")) return
    event.preventDefault()
    this.offer(file.name)
  }

  /** As tall as its text, up to the limit in the style. */
  #grow(): void {
    const { area } = this
    // While it is measured at its least height nothing around it may move: the messages above would lose their place.
    this.style.height = `${this.offsetHeight}px`
    area.style.height = "auto"
    area.style.height = `${area.scrollHeight}px`
    this.style.height = ""
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-composer": Composer
  }
  interface HTMLElementEventMap {
    "kez-send": CustomEvent<string>
    "kez-draft": CustomEvent<string>
  }
}
