import { consume } from "@lit/context"
import type { Message as ChatMessage } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../elements/button/Button.ts"
import "../../elements/copy/Copy.ts"
import "../../elements/icon/Icon.ts"
import "../../elements/links/Links.ts"
import { byteSize } from "../../model/Bytes.ts"
import { fullDate, fullMoment, timeOfDay } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import { styles } from "./Message.styles.ts"
import { quietMillis, shownState } from "./ShownState.ts"
import { isEmojiOnly, type Token, tokens } from "./Tokens.ts"

/** Body types that this page shows; others come with a fallback text. */
const known = new Set(["text", "file_share"])

/**
 * A message as a bubble, with its state or time and what is remarkable about it.
 *
 * @fires kez-resend - The person wants to send a failed message again; `detail` is the message.
 * @fires kez-remove - The person wants to remove a failed message; `detail` is the message.
 * @fires kez-report - The person wants to report a received message; `detail` is the message.
 */
@customElement("kez-message")
export class Message extends LitElement {
  static override styles = [shared, styles]

  @property({ attribute: false }) message: ChatMessage | undefined
  /** The other person, as the page names them. */
  @property() name = ""
  /** The other person's home server. */
  @property() server = ""
  /** Notes to self. */
  @property({ type: Boolean }) self = false
  @property({ type: Boolean }) offline = false
  /** First and last of a run: of messages that one side wrote without a pause. */
  @property({ type: Boolean }) first = true
  @property({ type: Boolean }) last = true
  /** Somebody came here from a search. */
  @property({ type: Boolean }) hit = false
  /** Whether files can be fetched from this person now. */
  @property({ type: Boolean }) fetchable = true
  /** Whether the operator of the own home server can do something about this person. */
  @property({ type: Boolean }) reportable = false
  /** The address of the profile of a contact with this name; without one a name is text. */
  @property({ attribute: false }) profile: (name: string) => string | undefined = () => undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private isOpen = false
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Renders at once, so that a list can measure the message in the turn in which it is added. */
  renderNow(): void {
    if (this.isUpdatePending && this.isConnected) this.performUpdate()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("message")
    if (before !== undefined && before.id !== this.message?.id) this.isOpen = false
  }

  protected override updated(): void {
    clearTimeout(this.#timer)
    const { message } = this
    if (message?.state !== "queued" || message.waiting !== undefined) return
    const left = quietMillis - (Date.now() - message.arrivedAt)
    if (left > 0) this.#timer = setTimeout(() => this.requestUpdate(), left)
  }

  protected override render() {
    const { first, hit, last, message } = this
    if (message === undefined) return nothing
    const isOwn = message.direction === "out"
    const isBare = message.type === "text" && isEmojiOnly(message.text)
    const classes = `message ${isOwn ? "own" : ""} ${first ? "first" : ""} ${last ? "last" : ""} ${hit ? "hit" : ""}`
    const info = this.#info(message)
    const isBelow = last || message.state === "failed"
    return html`<div class=${classes}>
      <div class="line">
        <div class="bubble ${isBare ? "bare" : ""}" @click=${this.#tap}>${this.#content(message, isBare)}</div>
        ${isBelow ? nothing : info}
      </div>
      ${this.#marks(message)} ${isBelow ? info : nothing} ${this.#sentence(message)}
    </div>`
  }

  #content(message: ChatMessage, isBare: boolean): TemplateResult {
    const { texts } = this
    if (message.type === "file_share") return this.#file(message)
    return html`<div class="text ${isBare ? "emoji" : ""}" dir="auto">${tokens(message.text).map(this.#token)}</div>
      ${known.has(message.type) ? nothing : html`<p class="note">${texts.conversation.newerProgram}</p>`}`
  }

  readonly #token = (token: Token): TemplateResult | string => {
    if (token.kind === "link") {
      return html`<a href=${token.text} target="_blank" rel="noopener noreferrer" dir="ltr">${token.text}</a>`
    }
    const address = token.kind === "mention" ? this.profile(token.name) : undefined
    return address === undefined ? token.text : html`<a class="mention" href=${address}>${token.text}</a>`
  }

  #file({ direction, file, id, text }: ChatMessage): TemplateResult {
    const texts = this.texts.conversation
    return html`<div class="file">
      <div class="offer">
        <kez-icon name="file"></kez-icon>
        <div>
          <p class="filename" dir="auto"><bdi>${text}</bdi></p>
          ${file === undefined ? nothing : html`<p class="size">${byteSize(file.size)}</p>`}
        </div>
      </div>
      ${
        direction === "out"
          ? html`<p class="size">${texts.cliFileSent}</p>`
          : html`<p class="size">${texts.cliFile}</p>
              ${
                this.fetchable
                  ? html`<kez-copy
                      text=${`kez-chat fetch ${id}`}
                      label=${this.texts.common.copy}
                      copiedLabel=${this.texts.common.copied}
                    ></kez-copy>`
                  : nothing
              }`
      }
    </div>`
  }

  #marks(message: ChatMessage): ReadonlyArray<TemplateResult> {
    const texts = this.texts.conversation
    const mark = (said: string, meaning?: string) =>
      html`<div class="mark">
        <kez-icon name="warning"></kez-icon>
        ${
          meaning === undefined
            ? html`<p>${said}</p>`
            : html`<details>
                <summary>${said} <span>${texts.whatDoesThisMean}</span></summary>
                <p>${meaning}</p>
              </details>`
        }
      </div>`
    const marks: Array<TemplateResult> = []
    if (message.suspicious) marks.push(mark(texts.suspicious(this.name, fullDate(message.createdAt))))
    if (message.equivocation) marks.push(mark(texts.equivocation(this.name), texts.equivocationMeaning(this.name)))
    if (message.fork) marks.push(mark(texts.fork(this.name), texts.forkMeaning(this.name)))
    return marks
  }

  #info(message: ChatMessage): TemplateResult {
    const shown = this.#shown(message)
    const isAside = !this.last && message.state !== "failed"
    return html`<button
      type="button"
      class="info ${isAside ? "aside" : ""} ${shown?.sign === "failed" ? "failed" : ""}"
      aria-expanded=${this.isOpen}
      title=${this.texts.conversation.details}
      @click=${this.#toggle}
    >
      <time datetime=${new Date(message.arrivedAt).toISOString()}>${timeOfDay(message.arrivedAt)}</time>
      ${
        shown === undefined
          ? nothing
          : html`<kez-links state=${shown.sign}></kez-links
              >${shown.word === undefined ? nothing : html`<span>${shown.word}</span>`}`
      }
    </button>`
  }

  #sentence(message: ChatMessage): TemplateResult | typeof nothing {
    const texts = this.texts.conversation
    const shown = this.#shown(message)
    const isFailed = message.state === "failed"
    if (!this.isOpen && !isFailed) return nothing
    return html`<div class="sentence">
      ${shown?.sentence === undefined ? nothing : html`<p>${shown.sentence}</p>`}
      ${this.isOpen ? html`<p>${texts.writtenAt(fullMoment(message.createdAt))}</p>` : nothing}
      ${
        isFailed
          ? html`<div class="actions">
              <kez-button kind="quiet" @click=${this.#copy}>${this.texts.common.copy}</kez-button>
              <kez-button kind="quiet" @click=${() => this.#ask("kez-remove")}>${texts.removeFailed}</kez-button>
              ${
                message.type === "text"
                  ? html`<kez-button @click=${() => this.#ask("kez-resend")}>${texts.sendAgain}</kez-button>`
                  : nothing
              }
            </div>`
          : this.reportable && message.direction === "in"
            ? html`<div class="actions">
                <kez-button kind="quiet" @click=${() => this.#ask("kez-report")}>${texts.report}</kez-button>
              </div>`
            : nothing
      }
    </div>`
  }

  #shown(message: ChatMessage) {
    const { name, offline: isOffline, self: isSelf, server, texts } = this
    return shownState(message, { texts: texts.conversation, name, server, isSelf, isOffline, now: Date.now() })
  }

  #toggle(): void {
    this.isOpen = !this.isOpen
  }

  #tap(event: Event): void {
    const isControl = event
      .composedPath()
      .some((node) => node instanceof Element && node.matches("a, button, kez-copy"))
    if (!isControl && (getSelection()?.isCollapsed ?? true)) this.#toggle()
  }

  #copy(): void {
    if (this.message !== undefined) void navigator.clipboard.writeText(this.message.text).catch(() => undefined)
  }

  #ask(name: "kez-resend" | "kez-remove" | "kez-report"): void {
    if (this.message === undefined) return
    this.dispatchEvent(new CustomEvent(name, { detail: this.message, bubbles: true, composed: true }))
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-message": Message
  }
  interface HTMLElementEventMap {
    "kez-resend": CustomEvent<ChatMessage>
    "kez-remove": CustomEvent<ChatMessage>
    "kez-report": CustomEvent<ChatMessage>
  }
}
