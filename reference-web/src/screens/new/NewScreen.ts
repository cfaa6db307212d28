import { consume } from "@lit/context"
import type { FoundAccount, KezChatClient } from "@kez-chat/sdk/promise"
import { css, html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, query, state } from "lit/decorators.js"
import { clientContext } from "../../context.ts"
import { keepStorage } from "../../controllers/KeepStorage.ts"
import { OwnAccount } from "../../controllers/OwnAccount.ts"
import { go } from "../../controllers/Route.ts"
import "../../elements/button/Button.ts"
import "../../elements/field/Field.ts"
import type { Field } from "../../elements/field/Field.ts"
import "../../elements/mark/Mark.ts"
import "../../elements/note/Note.ts"
import { displayName, serverOf } from "../../model/DisplayName.ts"
import { problemCode, detailOf, isLimited, tagOf } from "../../controllers/Errors.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import { screenHead, screenStyles } from "../ScreenHead.ts"

/** Groups of four characters at the beginning of a key: enough to recognise one, not to compare it. */
const shortKey = (primary: string): string =>
  (primary.replace("ed25519:", "").slice(0, 16).match(/.{4}/g) ?? []).join(" ")

/** Adding somebody by handle: first who that is, or why nobody was found; then they are added. */
@customElement("kez-new-screen")
export class NewScreen extends LitElement {
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
      form {
        display: flex;
        align-items: flex-start;
        gap: var(--space-2);
      }
      form kez-field {
        flex: 1;
        min-width: 0;
      }
      form kez-button {
        margin-top: 1.75rem;
      }
      article {
        display: grid;
        gap: var(--space-4);
        padding: var(--space-4);
        border: 1px solid var(--line);
        border-radius: var(--radius-card);
      }
      .person {
        display: flex;
        align-items: center;
        gap: var(--space-4);
      }
      .person > div {
        min-width: 0;
      }
      kez-mark {
        width: 3.5rem;
        height: 3.5rem;
      }
      code {
        font-family: var(--mono);
        font-size: var(--text-small);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
      }
    `
  ]

  /** What the field begins with. */
  @property() handle = ""
  @consume({ context: clientContext, subscribe: true })
  @property({ attribute: false })
  client: KezChatClient | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private error = ""
  @state() private isBusy = false
  @state() private isAdding = false
  @state() private found: FoundAccount | undefined
  readonly #own = new OwnAccount(this, () => this.client)
  @query("kez-field") private readonly field!: Field

  get heading(): string {
    return this.texts.conversation.addTitle
  }

  protected override render() {
    const texts = this.texts.conversation
    const home = this.#own.value?.server ?? ""
    return html`<div class="page">
      ${screenHead(this.heading, { route: { screen: "list" }, label: this.texts.common.conversations })}
      <form @submit=${this.#submit}>
        <kez-field
          autofocus
          code
          label=${texts.addLabel}
          name="handle"
          .value=${this.handle}
          hint=${texts.addHint(home)}
          error=${this.error}
          @input=${this.#input}
        ></kez-field>
        <kez-button type="submit" kind=${this.found === undefined ? "primary" : "plain"} ?busy=${this.isBusy}
          >${texts.addSearch}</kez-button
        >
      </form>
      <div aria-live="polite">${this.isBusy ? html`<p class="soft">${texts.looking}</p>` : this.#found()}</div>
    </div>`
  }

  #found(): TemplateResult | typeof nothing {
    const account = this.#own.value
    const { found } = this
    const texts = this.texts.conversation
    if (account === undefined || found === undefined) return nothing
    if (found.primary === account.primary) {
      return html`<kez-note>
        <p>${texts.addSelf}</p>
        <kez-button slot="actions" kind="primary" @click=${this.#open}>${texts.openNotes}</kez-button>
      </kez-note>`
    }
    const name = displayName(found.handle, account.server)
    return html`<article aria-label=${texts.found}>
      <div class="person">
        <kez-mark primary=${found.primary}></kez-mark>
        <div>
          <h2><bdi>${found.handle}</bdi></h2>
          <p class="soft small">${texts.keyStarts} <code dir="ltr">${shortKey(found.primary)} …</code></p>
        </div>
      </div>
      <p class="small soft">${texts.markMeaning}</p>
      <p>${texts.firstContact(serverOf(found.handle), name)}</p>
      <div class="actions">
        ${
          found.contact === undefined || found.contact.state === "requested"
            ? html`<kez-button kind="primary" ?busy=${this.isAdding} @click=${this.#add}
                >${texts.add(name)}</kez-button
              >`
            : html`<kez-button kind="primary" @click=${this.#open}>${texts.writeTo(name)}</kez-button>`
        }
      </div>
    </article>`
  }

  #input(): void {
    this.handle = this.field.value
    this.error = ""
    this.found = undefined
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault()
    const { client } = this
    const handle = this.handle.trim()
    if (client === undefined || this.isBusy || handle === "") return this.field.focus()
    this.isBusy = true
    this.error = ""
    this.found = undefined
    try {
      const found = await client.lookUp(handle)
      if (handle === this.handle.trim()) this.found = found
    } catch (error) {
      this.error = this.#words(handle.replace(/^@/, ""), error)
      this.field.focus()
    } finally {
      this.isBusy = false
    }
  }

  /** What went wrong, in words. */
  #words(handle: string, error: unknown): string {
    const texts = this.texts.conversation
    const server = serverOf(handle) || (this.#own.value?.server ?? "")
    if (isLimited(error)) return texts.addLimited
    if (/^(?:Server|Broker)Un(?:reachable|available)$/.test(String(tagOf(error)))) return texts.addUnreachable(server)
    switch (problemCode(error)) {
      case "handle_malformed":
        return texts.addInvalid
      case "handle_not_found":
      case "not_found":
        return texts.addNotFound(handle)
      case "handle_deleted":
        return texts.addDeleted(handle)
      case "contact_unreachable":
      case "chain_not_found":
        return texts.addNoInbox(handle)
      case "federation_unsupported":
        return texts.addOtherHome(handle, server)
      case "unavailable":
        return texts.addUnreachable(server)
      default:
        return this.texts.common.failed(detailOf(error))
    }
  }

  #open(): void {
    if (this.found !== undefined) go({ screen: "conversation", who: this.found.handle })
  }

  async #add(): Promise<void> {
    const { client, found } = this
    if (client === undefined || found === undefined || this.isAdding) return
    this.isAdding = true
    try {
      await client.addContact(found.handle)
      void keepStorage()
      if (this.found === found) this.#open()
    } catch (error) {
      this.error = this.#words(found.handle, error)
    } finally {
      this.isAdding = false
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-new-screen": NewScreen
  }
}
