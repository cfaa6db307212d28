import { consume } from "@lit/context"
import type { Contact, KezChatClient, Message } from "@kez-chat/sdk/promise"
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit"
import { customElement, property, query, state } from "lit/decorators.js"
import { repeat } from "lit/directives/repeat.js"
import { clientContext } from "../../context.ts"
import { LiveConversations } from "../../controllers/LiveConversations.ts"
import { hashOf } from "../../controllers/Route.ts"
import { OwnAccount } from "../../controllers/OwnAccount.ts"
import "../../elements/button/Button.ts"
import "../../elements/field/Field.ts"
import type { Field } from "../../elements/field/Field.ts"
import "../../elements/mark/Mark.ts"
import { displayName } from "../../model/DisplayName.ts"
import { detailOf } from "../../controllers/Errors.ts"
import { shortMoment } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import { screenHead, screenStyles } from "../ScreenHead.ts"
import { marked } from "./Marked.ts"

/** How long typing rests before a search begins, in milliseconds. */
const restMillis = 150
/** Messages that are found before the person asks for more. */
const pageHits = 40
/** Most characters of a found message. */
const shownCharacters = 240
/** Most people that are listed. */
const shownPeople = 5

/** Searching people and messages on this device, as one types. */
@customElement("kez-search-screen")
export class SearchScreen extends LitElement {
  static override styles = [
    shared,
    screenStyles,
    css`
      .soft {
        color: var(--soft);
      }
      .small {
        font-size: var(--text-small);
      }
      ul {
        display: grid;
        margin: 0 calc(-1 * var(--space-3));
        padding: 0;
        list-style: none;
      }
      li {
        content-visibility: auto;
        contain-intrinsic-size: auto 5rem;
      }
      li a {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        gap: 0 var(--space-3);
        align-items: start;
        padding: var(--space-2) var(--space-3);
        border-radius: var(--radius-card);
        color: inherit;
        text-decoration: none;
      }
      li a.person {
        align-items: center;
      }
      li a:hover {
        background: var(--sunken);
      }
      li a:focus-visible {
        outline-offset: -3px;
      }
      .name {
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .text {
        display: -webkit-box;
        overflow: clip;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 3;
        color: var(--soft);
        font-size: var(--text-small);
        overflow-wrap: anywhere;
      }
      mark {
        border-radius: 2px;
        background: var(--warn-soft);
        color: var(--warn);
        font-weight: 600;
      }
      time {
        color: var(--soft);
        font-size: var(--text-time);
        white-space: nowrap;
      }
      h2 {
        font-size: var(--text-name);
      }
      .only {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1) var(--space-4);
        justify-content: space-between;
      }
    `
  ]

  @property() query = ""
  /** Handle or key of the person whose conversation is searched; all are without. */
  @property() who: string | undefined
  @consume({ context: clientContext, subscribe: true })
  @property({ attribute: false })
  client: KezChatClient | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private hits: ReadonlyArray<Message> = []
  /** The query that `hits` belong to. */
  @state() private found = ""
  @state() private progress: "idle" | "searching" | "more" | "done" | "failed" = "idle"
  @state() private problem = ""
  @query("kez-field") private readonly field!: Field
  readonly #own = new OwnAccount(this, () => this.client)
  readonly #live = new LiveConversations(this, () => this.client)
  #abort: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  get heading(): string {
    return this.texts.conversation.searchTitle
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#abort?.abort()
    clearTimeout(this.#timer)
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("query") || changed.has("who") || changed.has("client")) this.#searchSoon()
  }

  protected override render() {
    const texts = this.texts.conversation
    const people = this.#people()
    const isDone = this.progress === "done" || this.progress === "more"
    const isNothing = isDone && this.hits.length === 0 && people.length === 0
    return html`<div class="page">
      ${screenHead(this.heading, { route: { screen: "list" }, label: this.texts.common.conversations })}
      <kez-field
        autofocus
        type="search"
        label=${texts.searchLabel}
        hint=${texts.searchHint}
        error=${this.progress === "failed" ? this.texts.common.failed(this.problem) : ""}
        .value=${this.query}
        @input=${this.#input}
      ></kez-field>
      ${this.#only()}
      ${
        people.length === 0
          ? nothing
          : html`<section>
              <h2>${texts.peopleFound}</h2>
              <ul>
                ${people.map((contact) => this.#person(contact))}
              </ul>
            </section>`
      }
      <p class="soft small" role="status">
        ${
          isNothing
            ? texts.noHits(this.found)
            : isDone && this.hits.length > 0 && this.progress === "done"
              ? texts.hits(this.hits.length)
              : this.progress === "searching" && this.hits.length === 0
                ? texts.searching
                : nothing
        }
      </p>
      <ul>
        ${repeat(
          this.hits,
          ({ order }) => order,
          (hit) => this.#hit(hit)
        )}
      </ul>
      ${this.progress === "more" ? html`<kez-button @click=${this.#more}>${texts.moreHits}</kez-button>` : nothing}
    </div>`
  }

  /** With whom, if not with all, and the way to all. */
  #only(): TemplateResult | typeof nothing {
    const account = this.#own.value
    const { query, who } = this
    if (who === undefined || account === undefined) return nothing
    const texts = this.texts.conversation
    const isSelf = who === account.handle || who === account.primary
    return html`<p class="only">
      <bdi>${isSelf ? texts.searchOnlyNotes : texts.searchOnly(displayName(who, account.server))}</bdi>
      <a href=${hashOf({ screen: "search", query })}>${texts.searchAll}</a>
    </p>`
  }

  #people(): ReadonlyArray<Contact> {
    const name = this.query.trim().toLowerCase().replace(/^@/, "")
    if (name === "" || this.who !== undefined) return []
    return (this.#live.list ?? [])
      .flatMap(({ contact }) => (contact === undefined || contact.state === "blocked" ? [] : [contact]))
      .filter(({ handle }) => handle.includes(name))
      .slice(0, shownPeople)
  }

  #person({ handle, primary }: Contact): TemplateResult {
    return html`<li>
      <a class="person" href=${hashOf({ screen: "conversation", who: handle })}>
        <kez-mark primary=${primary}></kez-mark>
        <span class="name"><bdi>${displayName(handle, this.#own.value?.server ?? "")}</bdi></span>
      </a>
    </li>`
  }

  #hit({ arrivedAt, direction, order, peer, text }: Message): TemplateResult {
    const texts = this.texts.conversation
    const contact = this.#live.list?.find((conversation) => conversation.peer === peer)?.contact
    const isSelf = peer === this.#own.value?.primary
    const who = contact?.handle ?? (isSelf ? (this.#own.value?.handle ?? peer) : peer)
    const name = displayName(who, this.#own.value?.server ?? "")
    const title = isSelf ? texts.notesToSelf : direction === "out" ? texts.fromYou(name) : name
    return html`<li>
      <a href=${hashOf({ screen: "conversation", who, at: order })}>
        <kez-mark primary=${peer}></kez-mark>
        <div>
          <div class="name"><bdi>${title}</bdi></div>
          <div class="text" dir="auto">
            <bdi
              >${marked(text, this.found, shownCharacters).map((part) =>
                part.isHit ? html`<mark>${part.text}</mark>` : part.text
              )}</bdi
            >
          </div>
        </div>
        <time>${shortMoment(arrivedAt, Date.now())}</time>
      </a>
    </li>`
  }

  #input(): void {
    this.query = this.field.value
    // The address names the query, so that coming back finds it again; typing leaves no steps.
    history.replaceState(history.state, "", hashOf(this.#route))
  }

  get #route() {
    const { query, who } = this
    return { screen: "search" as const, query, ...(who === undefined ? {} : { who }) }
  }

  #searchSoon(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#search(this.query.trim()), restMillis)
  }

  readonly #more = (): void => {
    void this.#search(this.found, this.hits)
  }

  /** Searches on from the last of `before`; what was found stays until the first new hit is there. */
  async #search(query: string, before: ReadonlyArray<Message> = []): Promise<void> {
    this.#abort?.abort()
    const { client } = this
    if (client === undefined || query === "") {
      this.hits = []
      this.progress = "idle"
      return
    }
    const abort = new AbortController()
    this.#abort = abort
    this.progress = "searching"
    const last = before.at(-1)
    let hits = before
    try {
      const options = {
        limit: pageHits,
        ...(this.who === undefined ? {} : { who: this.who }),
        ...(last === undefined ? {} : { before: last.order })
      }
      for await (const hit of client.search(query, options, { signal: abort.signal })) {
        if (abort.signal.aborted) return
        hits = [...hits, hit]
        this.hits = hits
        this.found = query
      }
      if (abort.signal.aborted) return
      this.hits = hits
      this.found = query
      this.progress = hits.length - before.length === pageHits ? "more" : "done"
    } catch (error) {
      if (abort.signal.aborted) return
      this.progress = "failed"
      this.problem = detailOf(error)
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-search-screen": SearchScreen
  }
}
