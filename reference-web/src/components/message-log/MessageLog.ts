import { consume } from "@lit/context"
import type { Message } from "@kez-chat/sdk/promise"
import { VirtualizerController, type VirtualItem, type VirtualizerOptions } from "@tanstack/lit-virtual"
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit"
import { customElement, property, query, queryAll, state } from "lit/decorators.js"
import { repeat } from "lit/directives/repeat.js"
import "../../elements/button/Button.ts"
import "../../elements/icon/Icon.ts"
import { dayName, isSameDay } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../message/Message.ts"
import type { Message as MessageElement } from "../message/Message.ts"
import { styles } from "./MessageLog.styles.ts"
import { estimateRow, startsRun } from "./Runs.ts"

/** How far from the newest message still counts as being there, in pixels. */
const endPixels = 80
/** How near an end of what is loaded the next page is asked for, in pixels. */
const pagePixels = 900
/** Most arrived messages that stay in the log for assistive technology. */
const announcedMessages = 5

/** Whether there are more messages beyond an end of those that are loaded. */
export type More = "none" | "some" | "loading"

/**
 * The messages of a conversation, of which only those in sight are rendered. What is being read keeps its place when
 * others are added at either end; at the newest message it follows.
 *
 * @fires kez-older - The page before the first message is needed.
 * @fires kez-newer - The page after the last message is needed.
 * @fires kez-newest - The person wants the newest messages, which are not loaded.
 * @fires kez-end - `detail` tells whether the newest message came in sight or went out of it.
 * @slot beginning - Shown above the first message of the conversation.
 */
@customElement("kez-message-log")
export class MessageLog extends LitElement {
  static override styles = [shared, styles]

  /** By `order`, oldest first. */
  @property({ attribute: false }) messages: ReadonlyArray<Message> = []
  @property() name = ""
  @property() server = ""
  /** Notes to self. */
  @property({ type: Boolean }) self = false
  @property({ type: Boolean }) offline = false
  @property({ type: Boolean }) fetchable = true
  @property({ type: Boolean }) reportable = false
  @property({ attribute: false }) profile: (name: string) => string | undefined = () => undefined
  /** `order` of the first unread message, above which the divider stands. */
  @property({ attribute: false }) unreadFrom: number | undefined
  /** `order` of the message to begin at, such as a search hit; it is marked. */
  @property({ attribute: false }) at: number | undefined
  @property() older: More = "none"
  @property() newer: More = "none"
  /** How many messages arrived below what is in sight. */
  @property({ type: Number }) arrived = 0
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private isAtEnd = true
  /** Room that the beginning takes. */
  @state() private topPixels = 0
  @query(".scroller") private readonly scroller!: HTMLElement
  @query(".sizer") private readonly sizer!: HTMLElement
  @query(".rows") private readonly rows!: HTMLElement
  @query(".top") private readonly beginning!: HTMLElement
  @queryAll(".row") private readonly rowElements!: NodeListOf<HTMLElement>

  readonly #options: Omit<
    VirtualizerOptions<HTMLElement, HTMLElement>,
    "observeElementRect" | "observeElementOffset" | "scrollToFn"
  > = {
    count: 0,
    getScrollElement: () => this.scroller,
    getItemKey: (index) => this.messages[index]?.order ?? index,
    estimateSize: (index) => estimateRow(this.messages[index]!),
    initialOffset: () => this.#beginsAt(),
    anchorTo: "end",
    scrollEndThreshold: endPixels,
    overscan: 6,
    paddingEnd: 16
  }
  readonly #controller = new VirtualizerController<HTMLElement, HTMLElement>(this, this.#options)
  readonly #virtualizer = this.#controller.getVirtualizer()
  /** What the rows and the height were rendered from. */
  #items: ReadonlyArray<VirtualItem> = []
  #size = 0
  #isPlaced = false
  /**
   * Whether the newest message is to stay in sight: from being there until the person scrolls up. Not the distance from
   * the end, which is large for a moment when many messages arrive at once.
   */
  #follows = true
  #lastTop = 0
  #lastHeight = 0
  #lastToEnd = 0
  #announced: ReadonlyArray<Message> = []
  #status = ""
  readonly #resizes = new ResizeObserver(() => this.#resized())

  constructor() {
    super()
    // A row above what is read may change its size in any direction of scrolling: the first one of those that were
    // loaded loses its date when others come before it.
    this.#virtualizer.shouldAdjustScrollPositionOnItemSizeChange = (item, _, { itemSizeCache, scrollOffset }) =>
      (itemSizeCache.has(item.key) ? item.end : item.start + 1) <= (scrollOffset ?? 0)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    if (!this.hasUpdated) return
    this.#resizes.observe(this.scroller)
    this.#resizes.observe(this.beginning)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#resizes.disconnect()
  }

  /** Shows the newest of the loaded messages. */
  scrollToEnd(): void {
    this.#virtualizer.scrollToEnd()
  }

  /**
   * The list reports each beginning and end of scrolling. Rendering and measuring are left out where it shows the same rows
   * in the same places, since both have the browser lay the page out.
   */
  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    const items = this.#virtualizer.getVirtualItems()
    const size = this.#virtualizer.getTotalSize()
    if (changed.size > 0 || items !== this.#items || size !== this.#size) return true
    // What it has put off until the next update.
    this.#controller.hostUpdated()
    return false
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("messages")) this.#announce(changed.get("messages") ?? [])
    this.#virtualizer.setOptions({
      ...this.#virtualizer.options,
      count: this.messages.length,
      paddingStart: this.topPixels
    })
    // The rows at the new end are rendered at once, not those at the old end first.
    if (changed.has("messages") && this.#isPlaced && this.#follows && this.newer === "none") {
      this.#virtualizer.scrollOffset = Math.max(0, this.#virtualizer.getTotalSize() - this.scroller.clientHeight)
    }
  }

  protected override update(changed: PropertyValues<this>): void {
    super.update(changed)
    // Before the controller corrects the scroll position, which needs the new height.
    this.#size = this.#virtualizer.getTotalSize()
    this.#items = this.#virtualizer.getVirtualItems()
    this.sizer.style.height = `${this.#size}px`
    this.rows.style.transform = `translateY(${this.#items[0]?.start ?? 0}px)`
  }

  protected override firstUpdated(): void {
    this.#resizes.observe(this.scroller)
    this.#resizes.observe(this.beginning)
  }

  protected override updated(): void {
    // All are rendered before the first is measured, or the browser would lay the page out for each.
    for (const row of this.rowElements) row.querySelector<MessageElement>("kez-message")?.renderNow()
    for (const row of this.rowElements) this.#virtualizer.measureElement(row)
    this.#virtualizer.measureElement(null)
    this.#place()
    this.#follow()
    this.#askForMore()
  }

  protected override render() {
    const { messages } = this
    const texts = this.texts.conversation
    const isEmpty = messages.length === 0 && this.older === "none" && this.newer === "none"
    return html`<div
        class="scroller"
        tabindex="0"
        role="region"
        aria-label=${this.self ? texts.notesToSelf : texts.messagesWith(this.name)}
        @scroll=${this.#scrolled}
      >
        ${
          isEmpty
            ? html`<div class="empty">
                <slot name="beginning"></slot>
                <p>${this.self ? texts.emptyNotes : texts.empty(this.name)}</p>
              </div>`
            : nothing
        }
        <div class="sizer">
          <div class="top">
            ${
              this.older === "none"
                ? isEmpty
                  ? nothing
                  : html`<slot name="beginning"></slot>`
                : html`<kez-button kind="quiet" ?busy=${this.older === "loading"} @click=${this.#older}
                    >${this.older === "loading" ? this.texts.common.loading : texts.earlier}</kez-button
                  >`
            }
          </div>
          <div class="rows">
            ${repeat(
              this.#virtualizer.getVirtualItems(),
              ({ key }) => key,
              (item) => this.#row(item)
            )}
          </div>
        </div>
      </div>
      ${this.#pill()}
      <div class="visually-hidden" role="log" aria-label=${texts.messages}>
        ${repeat(
          this.#announced,
          ({ order }) => order,
          ({ text }) => html`<p>${texts.said(this.name, text)}</p>`
        )}
      </div>
      <div class="visually-hidden" role="status">${this.#status}</div>`
  }

  #row({ index }: VirtualItem): TemplateResult | typeof nothing {
    const { messages, unreadFrom } = this
    const message = messages[index]
    if (message === undefined) return nothing
    const texts = this.texts.conversation
    const before = messages[index - 1]
    const after = messages[index + 1]
    const isFirst = startsRun(before, message, unreadFrom)
    const isNewDay = before === undefined || !isSameDay(before.arrivedAt, message.arrivedAt)
    const gap = message.gap ?? 0
    return html`<div class="row ${isFirst ? "apart" : ""}" data-index=${index}>
      ${isNewDay ? html`<div class="day">${dayName(message.arrivedAt, Date.now())}</div>` : nothing}
      ${message.order === unreadFrom ? html`<div class="unread">${texts.unreadDivider}</div>` : nothing}
      ${
        gap === 0
          ? nothing
          : html`<div class="gap">
              <details>
                <summary>${texts.gap(gap)}</summary>
                <p>${texts.gapMeaning}</p>
              </details>
            </div>`
      }
      <kez-message
        role="group"
        aria-label=${message.direction === "out" ? texts.you : this.name}
        .message=${message}
        .name=${this.name}
        .server=${this.server}
        .self=${this.self}
        .offline=${this.offline}
        .fetchable=${this.fetchable}
        .reportable=${this.reportable}
        .profile=${this.profile}
        .first=${isFirst}
        .last=${after === undefined || startsRun(message, after, unreadFrom)}
        .hit=${message.order === this.at}
      ></kez-message>
    </div>`
  }

  #pill(): TemplateResult | typeof nothing {
    const texts = this.texts.conversation
    if (this.messages.length === 0 || (this.isAtEnd && this.newer === "none")) return nothing
    return html`<button
      type="button"
      class="pill ${this.arrived > 0 ? "new" : ""}"
      aria-label=${this.arrived > 0 ? nothing : texts.toNewest}
      @click=${this.#newest}
    >
      ${this.arrived > 0 ? texts.newMessages(this.arrived) : nothing}<kez-icon name="down"></kez-icon>
    </button>`
  }

  /** The index of the message at which reading begins; -1 for the newest. */
  #firstIndex(): number {
    const target = this.at ?? this.unreadFrom
    return target === undefined ? -1 : this.messages.findIndex(({ order }) => order >= target)
  }

  /** About where that is in pixels. Once rows are measured the list goes there exactly; from the end it would not leave. */
  #beginsAt(): number {
    const index = this.#firstIndex()
    const before = index < 0 ? this.messages : this.messages.slice(0, index)
    return before.reduce((sum, message) => sum + estimateRow(message), 0)
  }

  /** Goes to where reading begins, once there are messages and they are laid out. */
  #place(): void {
    if (this.#isPlaced || this.messages.length === 0 || this.rowElements.length === 0) return
    this.#isPlaced = true
    const index = this.#firstIndex()
    this.#follows = index < 0
    if (index < 0) this.#virtualizer.scrollToEnd()
    else this.#virtualizer.scrollToIndex(index, { align: this.at === undefined ? "start" : "center" })
    this.#reportEnd(true)
  }

  /** Puts what arrived into the log for assistive technology, and says how far the newest own message got. */
  #announce(before: ReadonlyArray<Message>): void {
    const texts = this.texts.conversation
    const last = before.at(-1)
    const newest = this.messages.at(-1)
    if (last === undefined || newest === undefined || this.newer !== "none") return
    const arrived = this.messages
      .slice(-announcedMessages)
      .filter(({ direction, order }) => order > last.order && direction === "in")
    if (arrived.length > 0) this.#announced = [...this.#announced, ...arrived].slice(-announcedMessages)
    const own = this.messages.findLast(({ direction }) => direction === "out")
    const was = own === undefined ? undefined : before.findLast(({ id }) => id === own.id)
    if (own === undefined || was === undefined || was.state === own.state) return
    const words = { delivered: texts.stateDelivered, read: texts.stateRead, failed: texts.stateFailed }
    if (own.state === "delivered" || own.state === "read" || own.state === "failed") this.#status = words[own.state]
  }

  readonly #scrolled = (): void => {
    const { clientHeight, scrollHeight, scrollTop } = this.scroller
    const toEnd = scrollHeight - clientHeight - scrollTop
    const isNearer = toEnd <= 1 || toEnd < this.#lastToEnd
    // Upwards in a list that did not shrink: the person did that, if only by the first step of a smooth scroll.
    if (scrollTop < this.#lastTop && scrollHeight >= this.#lastHeight) this.#follows = false
    // What follows the loaded part of a conversation is no news.
    if (isNearer && toEnd <= endPixels) this.#follows = this.newer === "none"
    this.#lastTop = scrollTop
    this.#lastHeight = scrollHeight
    this.#lastToEnd = toEnd
    this.#reportEnd(false)
    this.#askForMore()
  }

  /** Brings the newest message in sight, unless the person reads further up or newer ones are not loaded. */
  #follow(): void {
    if (!this.#isPlaced || !this.#follows || this.newer !== "none") return
    const { clientHeight, scrollHeight, scrollTop } = this.scroller
    if (scrollHeight - clientHeight - scrollTop > 1) this.#virtualizer.scrollToEnd()
  }

  #reportEnd(always: boolean): void {
    const isAtEnd = this.#follows
    if (!always && isAtEnd === this.isAtEnd) return
    this.isAtEnd = isAtEnd
    this.dispatchEvent(new CustomEvent("kez-end", { detail: isAtEnd }))
  }

  #askForMore(): void {
    if (!this.#isPlaced || this.messages.length === 0) return
    const { clientHeight, scrollHeight, scrollTop } = this.scroller
    if (this.older === "some" && scrollTop < pagePixels) this.dispatchEvent(new CustomEvent("kez-older"))
    if (this.newer === "some" && scrollHeight - clientHeight - scrollTop < pagePixels) {
      this.dispatchEvent(new CustomEvent("kez-newer"))
    }
  }

  #older(): void {
    if (this.older === "some") this.dispatchEvent(new CustomEvent("kez-older"))
  }

  #newest(): void {
    this.#follows = true
    if (this.newer === "none") this.#virtualizer.scrollToEnd()
    else this.dispatchEvent(new CustomEvent("kez-newest"))
    this.scroller.focus({ preventScroll: true })
  }

  /** The newest message stays in sight when the composer grows; the beginning gets the room that it needs. */
  #resized(): void {
    this.topPixels = this.messages.length === 0 ? 0 : Math.ceil(this.beginning.offsetHeight)
    this.#follow()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-message-log": MessageLog
  }
  interface HTMLElementEventMap {
    "kez-older": CustomEvent<void>
    "kez-newer": CustomEvent<void>
    "kez-newest": CustomEvent<void>
    "kez-end": CustomEvent<boolean>
  }
}
