import { consume } from "@lit/context"
import type { KezChatClient, Listing } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type PropertyValues } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { clientContext } from "../../context.ts"
import { displayName } from "../../model/DisplayName.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../../components/file-list/FileList.ts"
import "../../elements/button/Button.ts"
import "../../elements/note/Note.ts"
import { messageOf, PersonController } from "../PersonController.ts"
import { personNotes } from "../PersonNotes.ts"
import { screenHead, screenStyles } from "../ScreenHead.ts"

/** The files that a contact shares with this account. */
@customElement("kez-files-screen")
export class FilesScreen extends LitElement {
  static override styles = [shared, screenStyles]

  @property() who = ""
  @consume({ context: clientContext, subscribe: true }) @state() private client: KezChatClient | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private listing: Listing | undefined
  @state() private failure: string | undefined
  readonly #person = new PersonController(this, () => this.client, false)
  #asked: AbortController | undefined

  get #name(): string {
    return displayName(this.#person.contact?.handle ?? this.who, this.#person.account?.server ?? "")
  }

  /** How the CLI names the owner, who may have no handle. */
  get #cliName(): string {
    const handle = this.#person.contact?.handle ?? this.who
    return handle.startsWith("ed25519:") ? handle : this.#name
  }

  /** For the title of the document. */
  get heading(): string {
    return this.#person.isOwn ? this.texts.people.filesTitle : this.texts.people.filesFrom(this.#name)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#asked?.abort()
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("who")) this.listing = undefined
    if (changed.has("who") || changed.has("client")) void this.#browse()
  }

  protected override render() {
    const { common, people } = this.texts
    const { account, contact, isOwn, isUnknown } = this.#person
    return html`<div class="page">
      ${screenHead(this.heading, { route: { screen: "profile", who: this.who }, label: this.#name })}
      ${personNotes(this.#person, this.who, this.texts)}
      ${
        this.failure === undefined || isUnknown
          ? nothing
          : html`<kez-note kind="warn" live
              >${people.filesFailed(this.failure)}
              <kez-button slot="actions" @click=${this.#browse}>${common.retry}</kez-button></kez-note
            >`
      }
      ${
        this.listing === undefined && this.failure === undefined && contact !== undefined
          ? html`<p class="loading" role="status">${people.filesLoading}</p>`
          : nothing
      }
      <kez-file-list
        .listing=${this.listing}
        .name=${this.#name}
        .who=${this.#cliName}
        .server=${account?.server ?? ""}
        ?own=${isOwn}
      ></kez-file-list>
    </div>`
  }

  async #browse(): Promise<void> {
    const { client, who } = this
    if (client === undefined || who === "") return
    this.#asked?.abort()
    const { signal } = (this.#asked = new AbortController())
    this.failure = undefined
    try {
      const listing = await client.browse(who, { signal })
      if (!signal.aborted) this.listing = listing
    } catch (error) {
      if (!signal.aborted) this.failure = messageOf(error)
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-files-screen": FilesScreen
  }
}
