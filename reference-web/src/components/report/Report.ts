import { consume } from "@lit/context"
import type { Contact, KezChatClient, Message, ReportOptions, ReportOutcome } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, query, state } from "lit/decorators.js"
import { live } from "lit/directives/live.js"
import { clientContext } from "../../context.ts"
import { detailOf } from "../../controllers/Errors.ts"
import "../../elements/button/Button.ts"
import "../../elements/choice/Choice.ts"
import type { Choice } from "../../elements/choice/Choice.ts"
import "../../elements/dialog/Dialog.ts"
import "../../elements/note/Note.ts"
import { fullMoment } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import { styles } from "./Report.styles.ts"

/** Most messages and characters of a note in a report (spec: reports). */
const mostMessages = 16
const noteCharacters = 2_000
/** Messages that are read to find those of the other side. */
const readMessages = 60
/** Most characters of a message that are shown here. */
const shownCharacters = 200

interface About {
  readonly contact: Contact
  readonly name: string
  readonly server: string
}

/**
 * A dialog that tells the operator of the home server of an account: why, and with which of its messages. `begin` opens it.
 */
@customElement("kez-report")
export class Report extends LitElement {
  static override styles = [shared, styles]

  /** The contact, as the page names them. */
  @property() name = ""
  /** The own home server. */
  @property() server = ""
  @consume({ context: clientContext, subscribe: true })
  @property({ attribute: false })
  client: KezChatClient | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private open = false
  /** Whom it is about, as they were called when it was opened; another object each time. */
  @state() private about: About | undefined
  @state() private messages: ReadonlyArray<Message> | undefined
  @state() private chosen: ReadonlySet<string> = new Set()
  @state() private reason = ""
  @state() private blocks = false
  @state() private busy = false
  @state() private outcome: ReportOutcome | undefined
  @state() private problem = ""
  @query("textarea") private readonly note!: HTMLTextAreaElement

  /** Opens it. A message that the person began with is chosen already; the others that are offered are those before it. */
  async begin(contact: Contact, message?: Message): Promise<void> {
    const about = { contact, name: this.name, server: this.server }
    this.open = true
    this.about = about
    this.busy = false
    this.reason = ""
    this.blocks = false
    this.outcome = undefined
    this.problem = ""
    this.chosen = new Set(message === undefined ? [] : [message.id])
    this.messages = message === undefined ? undefined : [message]
    try {
      const before = message === undefined ? {} : { before: message.order + 1 }
      const page = await this.client?.history(contact.primary, { ...before, limit: readMessages })
      if (about !== this.about || page === undefined) return
      this.messages = page
        .filter(({ direction }) => direction === "in")
        .slice(-mostMessages)
        .reverse()
    } catch (error) {
      if (about === this.about) this.problem = this.texts.common.failed(detailOf(error))
    }
  }

  protected override render() {
    const { common, people } = this.texts
    const { outcome, problem } = this
    const { name, server } = this.about ?? this
    return html`<kez-dialog
      .heading=${people.reportTitle(name)}
      .closeLabel=${common.close}
      ?open=${this.open}
      @kez-close=${this.#close}
    >
      ${
        !this.open
          ? nothing
          : outcome === undefined
            ? html`<div class="form">
                <p>${people.reportTo(server, name)}</p>
                <kez-choice
                  .label=${people.reportReason}
                  .options=${people.reportReasons}
                  .value=${this.reason}
                  @change=${(event: Event) => (this.reason = (event.target as Choice).value)}
                ></kez-choice>
                ${this.#choice(name)}
                <div>
                  <span class="note" id="note">${people.reportNote}</span>
                  <textarea rows="3" maxlength=${noteCharacters} aria-labelledby="note"></textarea>
                </div>
                ${this.about?.contact.state === "blocked" ? nothing : this.#box(this.blocks, (on) => (this.blocks = on), people.reportBlock(name))}
              </div>`
            : html`<div class="form" role="status">
                <p>${people.reportSent} ${people.reportNext(server, name)}</p>
                ${outcome.unprovable.length === 0 ? nothing : html`<p>${people.reportUnproven(outcome.unprovable.length)}</p>`}
              </div>`
      }
      ${problem === "" ? nothing : html`<kez-note kind="danger" live>${problem}</kez-note>`}
      ${
        outcome === undefined
          ? html`<kez-button slot="actions" @click=${this.#close}>${common.cancel}</kez-button>
              <kez-button
                slot="actions"
                kind="primary"
                ?disabled=${this.reason === ""}
                ?busy=${this.busy}
                @click=${this.#send}
                >${people.reportSend}</kez-button
              >`
          : html`<kez-button slot="actions" kind="primary" @click=${this.#close}>${common.close}</kez-button>`
      }
    </kez-dialog>`
  }

  #choice(name: string): TemplateResult | typeof nothing {
    const { people } = this.texts
    const { chosen, messages } = this
    if (messages === undefined) return nothing
    if (messages.length === 0) return html`<p class="soft">${people.reportNoMessages(name)}</p>`
    return html`<fieldset>
      <legend>${people.reportMessages}</legend>
      <div class="messages" tabindex="0" role="group" aria-label=${people.reportMessages}>
        ${messages.map(({ arrivedAt, id, text }) =>
          this.#box(
            chosen.has(id),
            (on) => (this.chosen = on ? new Set([...chosen, id]) : new Set([...chosen].filter((one) => one !== id))),
            html`<bdi dir="auto">${text.slice(0, shownCharacters)}</bdi><br /><time>${fullMoment(arrivedAt)}</time>`
          )
        )}
      </div>
    </fieldset>`
  }

  #box(checked: boolean, change: (on: boolean) => void, label: unknown): TemplateResult {
    return html`<label>
      <input
        type="checkbox"
        .checked=${live(checked)}
        @change=${(event: Event) => change((event.target as HTMLInputElement).checked)}
      />
      <span>${label}</span>
    </label>`
  }

  async #send(): Promise<void> {
    const { about, blocks, chosen, client, reason } = this
    const { common, people } = this.texts
    if (client === undefined || about === undefined || this.busy) return
    // It may be closed meanwhile, and opened again for another report.
    const show = (change: () => void) => about === this.about && change()
    this.busy = true
    this.problem = ""
    try {
      const who = about.contact.primary
      const note = this.note.value.trim()
      const outcome = await client.report({
        who,
        reason: reason as ReportOptions["reason"],
        note,
        messages: [...chosen]
      })
      show(() => (this.outcome = outcome))
      if (blocks) {
        await client
          .block(who)
          .catch((error: unknown) => show(() => (this.problem = people.reportNotBlocked(about.name, detailOf(error)))))
      }
    } catch (error) {
      show(() => (this.problem = common.failed(detailOf(error))))
    } finally {
      show(() => (this.busy = false))
    }
  }

  readonly #close = (): void => {
    this.open = false
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-report": Report
  }
}
