import { consume } from "@lit/context"
import type { Account, Contact, Event as ChatEvent, KezChatClient, Message } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit"
import { customElement, property, query, state } from "lit/decorators.js"
import { keyed } from "lit/directives/keyed.js"
import { clientContext } from "../../context.ts"
import { ChatEvents } from "../../controllers/ChatEvents.ts"
import { Drafts } from "../../controllers/Drafts.ts"
import { FileDrop } from "../../controllers/FileDrop.ts"
import { keepStorage } from "../../controllers/KeepStorage.ts"
import { LiveConversations } from "../../controllers/LiveConversations.ts"
import { Reader } from "../../controllers/Reader.ts"
import { StreamController } from "../../controllers/StreamController.ts"
import "../../elements/button/Button.ts"
import "../../elements/note/Note.ts"
import { canReport, displayName, isNamed, serverOf } from "../../model/DisplayName.ts"
import { problemCode, detailOf, tagOf } from "../../controllers/Errors.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../composer/Composer.ts"
import type { Composer } from "../composer/Composer.ts"
import "../contact-bar/ContactBar.ts"
import { carryOut, type Decision, isClosed } from "../contact-bar/Decision.ts"
import "../report/Report.ts"
import type { Report } from "../report/Report.ts"
import "../message-log/MessageLog.ts"
import type { MessageLog } from "../message-log/MessageLog.ts"
import { styles } from "./Conversation.styles.ts"
import { firstContact } from "./FirstContact.ts"
import { FrameQueue } from "./FrameQueue.ts"
import { ReadMarks } from "./ReadMarks.ts"
import { isRefusal, refusalNote } from "./RefusalNote.ts"
import { nothingLoaded, Thread, type View } from "./Thread.ts"

/**
 * A conversation with one person, or the notes to self: messages, their states, the composer or what stands in its
 * place. It needs a client, from the context or as a property, and the name or key of a contact; an embedding page needs
 * nothing else.
 *
 * @fires kez-compare - The person wants to compare safety numbers; `detail` is the contact.
 * @fires kez-gone - The contact was removed.
 */
@customElement("kez-conversation")
export class Conversation extends LitElement {
  static override styles = [shared, styles]

  /** Handle, mention or primary key of a contact, or of the own account for notes to self. */
  @property() who = ""
  /** `order` of a message to show, such as a search hit; without it what is unread, or the newest. */
  @property({ type: Number }) at: number | undefined
  /** The address of a contact's profile, where the page has such; names in messages link there. */
  @property({ attribute: false }) profile: (handle: string) => string | undefined = () => undefined
  @consume({ context: clientContext, subscribe: true })
  @property({ attribute: false })
  client: KezChatClient | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en

  @state() private contact: Contact | undefined
  @state() private account: Account | undefined
  @state() private view: View = nothingLoaded
  @state() private draft = ""
  @state() private unreadFrom: number | undefined
  @state() private arrived = 0
  @state() private isOffline = false
  @state() private isBusy = false
  @state() private stage: "loading" | "ready" | "unknown" | "failed" = "loading"
  @state() private problem = ""
  @state() private decisionProblem = ""
  /** Why nothing can be sent to this contact for now, by the code of the last refusal. */
  @state() private refusal = ""
  @query("kez-composer") private readonly composer!: Composer | null
  @query("kez-report") private readonly report!: Report | null
  @query("kez-message-log") private readonly log!: MessageLog | null
  readonly #live = new LiveConversations(this, () => this.client)
  readonly #drafts = new Drafts(this, () => ({ client: this.client, own: this.account?.primary ?? "" }))
  readonly #reader = new Reader(this, () => this.#look())
  #thread: Thread | undefined
  /** Grows with each conversation and place that is opened; answers for earlier ones are dropped. */
  #opening = 0
  /** The opening whose messages are shown; each begins at a place of its own. */
  @state() private shown = 0
  #isAtEnd = false
  /** What happened since the last frame, or while a conversation is being opened: its messages do not show it yet. */
  readonly #waiting = new FrameQueue<ChatEvent>(
    (event) => this.#onEvent(event),
    () => this.stage !== "loading"
  )
  // oxlint-disable-next-line no-unused-private-class-members -- it acts by itself
  readonly #drop = new FileDrop(this, ({ name }) => this.composer?.offer(name))

  // oxlint-disable-next-line no-unused-private-class-members -- it acts by itself
  readonly #events = new ChatEvents(
    this,
    () => this.client,
    (event) => this.#waiting.add(event)
  )
  readonly #reads = new ReadMarks(() => this.client)
  readonly #connection = new StreamController(this, {
    open: (signal) => this.client?.connection({ signal }),
    onItem: ({ _tag }) => (this.isOffline = _tag !== "Online")
  })

  /** Puts the focus where a person writes, or on the messages. */
  override focus(options?: FocusOptions): void {
    ;(this.composer ?? this.log)?.focus(options)
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("client") && this.hasUpdated) this.#connection.restart()
    if (changed.has("client") || changed.has("who") || changed.has("at")) void this.#open(changed.has("who"))
  }

  protected override render() {
    const texts = this.texts.conversation
    const { account, contact, stage } = this
    if (stage === "unknown") {
      return html`<div class="missing">
        <p>${texts.conversationUnknown(this.who)}</p>
        <kez-button ?busy=${this.isBusy} @click=${this.#add}>${texts.addThem}</kez-button>
        ${this.problem === "" ? nothing : html`<p role="alert">${this.texts.common.failed(this.problem)}</p>`}
      </div>`
    }
    if (stage === "failed") {
      return html`<div class="missing">
        <p role="alert">${this.texts.common.failed(this.problem)}</p>
        <kez-button @click=${() => this.#open(true)}>${this.texts.common.retry}</kez-button>
      </div>`
    }
    if (account === undefined || (stage === "loading" && this.view === nothingLoaded))
      return html`<div class="missing"></div>`
    const isSelf = contact === undefined
    const name = isSelf ? "" : displayName(contact.handle, account.server)
    const server = isSelf ? account.server : serverOf(contact.handle) || account.server
    return html`${keyed(
        this.shown,
        html`<kez-message-log
          .messages=${this.view.messages}
          .name=${name}
          .server=${server}
          .self=${isSelf}
          .offline=${this.isOffline}
          .fetchable=${contact?.state === "accepted"}
          .reportable=${canReport(contact, account)}
          .profile=${this.#profileOf}
          .unreadFrom=${this.unreadFrom}
          .at=${this.at}
          .older=${this.view.older}
          .newer=${this.view.newer}
          .arrived=${this.arrived}
          @kez-older=${() => this.#page("older")}
          @kez-newer=${() => this.#page("newer")}
          @kez-newest=${this.#toNewest}
          @kez-end=${this.#reachedEnd}
          @kez-resend=${({ detail }: CustomEvent<Message>) => this.#send(detail.text, detail)}
          @kez-remove=${({ detail }: CustomEvent<Message>) => this.#remove(detail)}
          @kez-report=${({ detail }: CustomEvent<Message>) => contact && this.report?.begin(contact, detail)}
        >
          ${firstContact(texts, contact, name, server, () => this.#decide("compare"))}
        </kez-message-log>`
      )}
      <div class="above">${refusalNote(texts, this.refusal, name, server)}</div>
      ${this.#foot(contact, name, server)}
      <kez-report .client=${this.client} .name=${name} .server=${account.server}></kez-report>`
  }

  #foot(contact: Contact | undefined, name: string, server: string): TemplateResult {
    const bar = html`<kez-contact-bar
      .contact=${contact}
      .name=${name}
      .server=${server}
      ?busy=${this.isBusy}
      ?kept=${contact?.state === "accepted"}
      ?reportable=${canReport(contact, this.account)}
      .problem=${this.decisionProblem}
      @kez-decide=${({ detail }: CustomEvent<Decision>) => this.#decide(detail)}
    ></kez-contact-bar>`
    if (isClosed(contact)) return bar
    // A composer that goes away hands its text on for the one it was for.
    const { who } = this
    return html`${contact?.kept === undefined ? nothing : bar}
      <kez-composer
        .draft=${this.draft}
        .name=${name}
        .problem=${this.problem}
        .unsaved=${this.#drafts.problem(who)}
        @kez-send=${({ detail }: CustomEvent<string>) => this.#send(detail)}
        @kez-draft=${({ detail }: CustomEvent<string>) => this.#drafts.keep(who, detail)}
      ></kez-composer>`
  }

  readonly #profileOf = (name: string): string | undefined => {
    const server = this.account?.server ?? ""
    const handle = name.includes("@") ? name : `${name}@${server}`
    const isKnown = this.#live.list?.some(({ contact }) => contact?.handle === handle) ?? false
    return isKnown ? this.profile(handle) : undefined
  }

  async #open(isOther: boolean): Promise<void> {
    const { at, client, who } = this
    const opening = ++this.#opening
    if (client === undefined || who === "") return
    if (isOther) {
      this.view = nothingLoaded
      this.draft = ""
      this.refusal = ""
      this.decisionProblem = ""
    }
    this.stage = "loading"
    this.problem = ""
    this.arrived = 0
    this.#waiting.clear()
    try {
      const account = await client.account()
      const isSelf = who === account.primary || who === account.handle
      const contact = isSelf ? undefined : await client.contact(who)
      const peer = contact?.primary ?? account.primary
      this.account = account
      const thread = new Thread(client, who, peer)
      const [unread, draft] = await Promise.all([this.#live.unreadIn(peer), this.#drafts.read(who)])
      await thread.open(at, unread)
      if (opening !== this.#opening) return
      this.#thread = thread
      this.contact = contact
      this.draft = draft
      this.unreadFrom = at === undefined ? thread.firstUnread(unread) : undefined
      this.shown = opening
      // The list says where it begins.
      this.#isAtEnd = thread.messages.length === 0
      this.#show()
      this.stage = "ready"
      this.#waiting.takeAll()
    } catch (error) {
      if (opening !== this.#opening) return
      const isUnknown = tagOf(error) === "ContactUnknown"
      this.stage = isUnknown ? "unknown" : "failed"
      this.problem = isUnknown ? "" : detailOf(error)
    }
  }

  #show(): void {
    if (this.#thread !== undefined) this.view = this.#thread.view
  }

  async #page(direction: "older" | "newer"): Promise<void> {
    const thread = this.#thread
    if (thread === undefined) return
    const loading = direction === "older" ? thread.loadOlder() : thread.loadNewer()
    this.#show()
    await loading
    if (thread === this.#thread) this.#show()
  }

  #toNewest(): void {
    if (this.at === undefined) void this.#open(false)
    else this.at = undefined
  }

  #onEvent(event: ChatEvent): void {
    const thread = this.#thread
    if (this.stage === "unknown" && "contact" in event && isNamed(this.who, event.contact)) void this.#open(true)
    if (thread === undefined || this.stage !== "ready") return
    switch (event._tag) {
      case "Message":
      case "Request":
        if (event.message.peer === thread.peer) this.#onMessage(thread, event.message)
        return
      case "State":
        if (event.message.peer === thread.peer && thread.replace(event.message)) this.#show()
        return
      case "MessageRemoved":
        if (event.message.peer === thread.peer && thread.remove(event.message)) this.#show()
        return
      case "Draft":
        if (event.peer === thread.peer && this.#drafts.problem(this.who) === "") this.draft = event.text
        return
      case "Contact":
      case "KeyChanged":
      case "KeyHealed":
      case "KeyOffered":
        if (event.contact.primary === this.contact?.primary) this.contact = event.contact
        else if (event.contact.handle === this.contact?.handle) void this.#open(false)
        return
      case "ContactRemoved":
        if (event.contact.primary === this.contact?.primary) this.dispatchEvent(new CustomEvent("kez-gone"))
        return
      case "Missed":
        void thread.reload().then(() => thread === this.#thread && this.#show())
        return
      default:
    }
  }

  #onMessage(thread: Thread, message: Message): void {
    const isNew = thread.add(message)
    const isSeen = this.#isAtEnd && !thread.hasNewer && this.#reader.isHere
    if (isNew && message.direction === "in" && !isSeen) {
      if (this.arrived === 0 && (this.unreadFrom === undefined || this.#isAtEnd)) this.unreadFrom = message.order
      if (!this.#isAtEnd || thread.hasNewer) this.arrived += 1
    }
    if (message.direction === "out") this.unreadFrom = undefined
    this.#show()
    if (isSeen) this.#markRead()
  }

  /** `failed`: an earlier message that this one takes the place of. */
  async #send(text: string, failed?: Message): Promise<void> {
    const thread = this.#thread
    const { client, who } = this
    if (client === undefined || thread === undefined) return
    this.problem = ""
    try {
      const message = await client.send(who, text)
      this.refusal = ""
      if (failed !== undefined) this.#remove(failed)
      // What was typed meanwhile stays.
      void this.#drafts.keep(who, this.composer?.value ?? "")
      if (thread !== this.#thread) return
      if (thread.hasNewer) return this.#toNewest()
      this.#onMessage(thread, message)
      await this.updateComplete
      this.log?.scrollToEnd()
    } catch (error) {
      if (thread !== this.#thread || !this.isConnected) return void this.#drafts.keep(who, text)
      const code = problemCode(error)
      this.refusal = isRefusal(code) ? code : ""
      this.problem = this.refusal === "" ? detailOf(error) : ""
      this.composer?.restore(text)
    }
  }

  #remove({ id }: Message): void {
    this.client?.removeMessage(id).catch((error: unknown) => (this.problem = detailOf(error)))
  }

  async #add(): Promise<void> {
    this.isBusy = true
    this.problem = ""
    try {
      await this.client?.addContact(this.who)
      void keepStorage()
      await this.#open(true)
    } catch (error) {
      this.problem = detailOf(error)
    } finally {
      this.isBusy = false
    }
  }

  async #decide(decision: Decision): Promise<void> {
    const { client, contact } = this
    if (client === undefined || contact === undefined) return
    if (decision === "report") return this.report?.begin(contact)
    if (decision === "compare") {
      this.dispatchEvent(new CustomEvent("kez-compare", { detail: contact, bubbles: true, composed: true }))
      return
    }
    this.isBusy = true
    this.decisionProblem = ""
    try {
      this.contact = (await carryOut(client, contact, decision)) ?? contact
      if (this.contact.primary !== contact.primary) void this.#open(false)
    } catch (error) {
      this.decisionProblem = detailOf(error)
    } finally {
      this.isBusy = false
    }
    this.#look()
  }

  #look(): void {
    if (this.stage === "ready" && this.#isAtEnd && this.view.newer === "none" && this.#reader.isHere) this.#markRead()
  }

  #reachedEnd({ detail }: CustomEvent<boolean>): void {
    this.#isAtEnd = detail
    if (!detail) return
    if (this.view.newer === "none") this.arrived = 0
    this.#look()
  }

  #markRead(): void {
    // Who waits for a decision or is blocked learns nothing.
    if (this.contact?.state !== "requested" && this.contact?.state !== "blocked") this.#reads.mark(this.who)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-conversation": Conversation
  }
  interface HTMLElementEventMap {
    "kez-compare": CustomEvent<Contact>
    "kez-gone": CustomEvent<void>
  }
}
