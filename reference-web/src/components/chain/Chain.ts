import { consume } from "@lit/context"
import type { Verification } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { dayInSentence } from "../../model/DayInSentence.ts"
import { fullDate, fullMoment } from "../../model/Moment.ts"
import { details } from "../../styles/details.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../../elements/icon/Icon.ts"
import "../../elements/note/Note.ts"
import { styles } from "./Chain.styles.ts"
import {
  breakOf,
  type ChainBreak,
  type ChainEvent,
  type ChainLink,
  eventsOf,
  type Head,
  linksOf,
  rawOf
} from "./ChainLinks.ts"
import { sentenceOf } from "./Sentence.ts"

/** How many links are shown before the others are asked for. */
const shortLinks = 6

/** What an account's key has signed, link by link. */
@customElement("kez-chain")
export class Chain extends LitElement {
  static override styles = [shared, details, styles]

  @property({ attribute: false }) verification: Verification | undefined
  /** The name to speak of. */
  @property() name = ""
  /** Name of the home server. */
  @property() server = ""
  /** It is the user's own chain. */
  @property({ type: Boolean }) own = false
  @property({ type: Boolean }) newestFirst = matchMedia("(max-width: 48rem)").matches
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private isLong = false
  /** The links whose events are shown; they are rendered only then. */
  @state() private opened: ReadonlySet<number> = new Set()

  protected override render() {
    const { people } = this.texts
    return html`<h2>${this.own ? people.chainTitleOwn : people.chainTitle(this.name)}</h2>
      <p class="hint">${people.chainHint(this.server)}</p>
      ${this.verification === undefined ? nothing : this.#chain(this.verification)}`
  }

  #chain(verification: Verification): TemplateResult {
    const { people } = this.texts
    const { contact } = verification
    const events = eventsOf(verification)
    if (events.length === 0) {
      if (contact.head !== undefined) return html`<p class="trouble">${people.chainUnavailable}</p>`
      return html`<p class="trouble">${this.own ? people.chainEmptyOwn : people.chainEmpty(this.name)}</p>`
    }
    const links = linksOf(events)
    const broken = breakOf(contact.head, events)
    const first = this.isLong ? 0 : Math.min(links.length - shortLinks, brokenAt(links, broken) - 1)
    const shown = links.slice(Math.max(0, first))
    // The links alone may not show it. A rotation is one of them.
    const trouble = contact.cause?.chain === "behind" || contact.cause?.chain === "forked"
    const lines = this.#lines(shown, broken)
    if (this.newestFirst) lines.reverse()
    return html`${
        trouble && broken === undefined
          ? html`<kez-note class="trouble" kind="danger"
              ><p>${people.chainTrouble}</p>
              <p>${contact.warning}</p></kez-note
            >`
          : nothing
      }
      ${
        links.length > 1
          ? html`<div class="order">
              <button type="button" @click=${() => (this.newestFirst = !this.newestFirst)}>
                ${this.newestFirst ? people.chainOldestFirst : people.chainNewestFirst}
              </button>
            </div>`
          : nothing
      }
      <ol>
        ${lines}
      </ol>
      ${
        links.length > shortLinks
          ? html`<button type="button" @click=${() => (this.isLong = !this.isLong)}>
              ${this.isLong ? people.chainFew : people.chainAll}
            </button>`
          : nothing
      }
      <footer>
        ${people.chainHead(events.length, fullDate(events.at(-1)?.at ?? 0))}
        ${this.own ? nothing : people.chainSince(fullDate(contact.addedAt))}
      </footer>`
  }

  /** The lines, oldest first, with the break where it belongs. */
  #lines(links: ReadonlyArray<ChainLink>, broken: ChainBreak | undefined): Array<TemplateResult> {
    const lines: Array<TemplateResult> = []
    let isDrawn = broken === undefined
    links.forEach((link, index) => {
      const last = link.events.at(-1)?.seq ?? 0
      if (broken?._tag === "forked" && !isDrawn && last >= broken.known.seq) {
        lines.push(this.#broken(broken))
        isDrawn = true
      }
      const next = links[index + 1]
      const [older, newer] = this.newestFirst ? [links[index - 1], link] : [link, next]
      lines.push(this.#line(link, broken !== undefined && this.#isBetween(broken, older, newer)))
    })
    if (broken !== undefined && !isDrawn) lines.push(this.#broken(broken))
    return lines
  }

  #isBetween(broken: ChainBreak, older: ChainLink | undefined, newer: ChainLink | undefined): boolean {
    if (broken._tag === "rolled_back") return newer === undefined
    const seq = (link: ChainLink | undefined): number => link?.events.at(-1)?.seq ?? -1
    return seq(older) < broken.known.seq && seq(newer) >= broken.known.seq
  }

  #broken(broken: ChainBreak): TemplateResult {
    const { people } = this.texts
    const isFork = broken._tag === "forked"
    const head = (label: string, at: Head | undefined) =>
      html`<dt>${label}</dt>
        <dd>
          ${at === undefined ? people.chainNothing : html`${people.eventNumber(at.seq)}<br /><code>${at.hash}</code>`}
        </dd>`
    return html`<li class="break">
      ${brokenLink}
      <div>
        <p>${isFork ? people.chainForked : people.chainRolledBack}</p>
        <dl>
          ${head(people.chainKnownHead, broken.known)}
          ${head(isFork ? people.chainOtherLink : people.chainShownHead, broken.shown)}
        </dl>
      </div>
    </li>`
  }

  #line({ events, statement }: ChainLink, beforeBreak: boolean): TemplateResult {
    const { people } = this.texts
    const newest = events.at(-1)
    const at = newest?.at ?? 0
    const sentence = sentenceOf(statement, events.length, dayInSentence(at, Date.now()), people)
    const isStruck = statement._tag === "claim" && statement.revoked
    const id = newest?.seq ?? 0
    return html`<li
      class=${`${statement._tag === "rotated" ? "closing" : ""} ${beforeBreak ? "before-break" : ""}`}
      data-seq=${id}
    >
      <span class="ring" aria-hidden="true"></span>
      <div>
        <p class="statement">
          ${isStruck ? html`<s><bdi>${sentence}</bdi></s> (${people.takenBack.toLowerCase()})` : html`<bdi>${sentence}</bdi>`}
        </p>
        <details @toggle=${(event: Event) => this.#toggled(event, id)}>
          <summary>
            <span>${fullDate(at)}</span><span aria-hidden="true">·</span>${people.chainDetails}
            <kez-icon name="forward"></kez-icon>
          </summary>
          ${this.opened.has(id) ? events.map((event) => this.#event(event)) : nothing}
        </details>
      </div>
    </li>`
  }

  #event({ at, envelope, hash, seq }: ChainEvent): TemplateResult {
    const { people } = this.texts
    return html`<dl>
      <dt>${people.eventNumber(seq)}</dt>
      <dd>${fullMoment(at)}</dd>
      <dt>${people.eventHash}</dt>
      <dd>${hash === undefined ? people.eventHashUnknown : html`<code>${hash}</code>`}</dd>
      <dt>${people.eventRaw}</dt>
      <dd><pre dir="ltr" tabindex="0">${rawOf(envelope)}</pre></dd>
    </dl>`
  }

  #toggled(event: Event, id: number): void {
    if (!(event.currentTarget as HTMLDetailsElement).open || this.opened.has(id)) return
    this.opened = new Set([...this.opened, id])
  }
}

/** The index of the first link that contradicts what was seen. */
const brokenAt = (links: ReadonlyArray<ChainLink>, broken: ChainBreak | undefined): number => {
  if (broken?._tag !== "forked") return links.length
  return links.findIndex(({ events }) => (events.at(-1)?.seq ?? 0) >= broken.known.seq)
}

/** The two halves of a link, pulled apart. */
const brokenLink = html`<svg viewBox="0 0 20 32" aria-hidden="true">
  <path d="M4.5 12V8a5.5 5.5 0 0 1 11 0v2.5M4.5 21.5V24a5.5 5.5 0 0 0 11 0v-4M1.5 17l3-1M18.5 15l-3 1" />
</svg>`

declare global {
  interface HTMLElementTagNameMap {
    "kez-chain": Chain
  }
}
