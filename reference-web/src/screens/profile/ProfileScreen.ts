import { consume } from "@lit/context"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import { css, html, LitElement, nothing } from "lit"
import { customElement, property, query, state } from "lit/decorators.js"
import { clientContext } from "../../context.ts"
import { keepStorage } from "../../controllers/KeepStorage.ts"
import { go } from "../../controllers/Route.ts"
import { canReport, displayName } from "../../model/DisplayName.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../../components/profile/Profile.ts"
import type { ProfileAction } from "../../components/profile/Profile.ts"
import "../../components/report/Report.ts"
import type { Report } from "../../components/report/Report.ts"
import { PersonController } from "../PersonController.ts"
import { personNotes } from "../PersonNotes.ts"
import { screenHead, screenStyles } from "../ScreenHead.ts"

/** The profile of a contact, or of the account itself. */
@customElement("kez-profile-screen")
export class ProfileScreen extends LitElement {
  static override styles = [
    shared,
    screenStyles,
    css`
      :host([panel]) header {
        text-align: center;
      }
      :host([panel]) header h2 {
        font-size: var(--text-section);
      }
    `
  ]

  @property() who = ""
  /** In a narrow column beside the conversation. */
  @property({ type: Boolean, reflect: true }) panel = false
  @consume({ context: clientContext, subscribe: true }) @state() private client: KezChatClient | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private checking = ""
  @query("kez-report") private readonly report!: Report
  readonly #person = new PersonController(this, () => this.client, true)

  /** For the title of the document. */
  get heading(): string {
    return displayName(this.#person.contact?.handle ?? this.who, this.#person.account?.server ?? "")
  }

  protected override render() {
    const { account, busy, contact, isOwn, isUnknown, verification } = this.#person
    const { people } = this.texts
    const { heading } = this
    const back = isUnknown
      ? { route: { screen: "list" } as const, label: this.texts.common.back }
      : { route: { screen: "conversation", who: this.who } as const, label: people.conversation }
    return html`<div class="page">
      ${
        this.panel
          ? html`<header>
              <h2><bdi>${heading}</bdi></h2>
            </header>`
          : screenHead(heading, back)
      }
      ${personNotes(this.#person, this.who, this.texts)}
      ${
        contact === undefined || isUnknown
          ? nothing
          : html`<kez-profile
                .contact=${contact}
                .verification=${verification}
                .name=${heading}
                .server=${account?.server ?? ""}
                ?own=${isOwn}
                ?panel=${this.panel}
                ?busy=${busy}
                .checking=${this.checking}
                ?reportable=${canReport(contact, account)}
                @kez-profile-action=${(event: CustomEvent<ProfileAction>) => this.#act(event.detail)}
              ></kez-profile>
              <kez-report .name=${heading} .server=${account?.server ?? ""}></kez-report>`
      }
    </div>`
  }

  async #act(action: ProfileAction): Promise<void> {
    const { contact } = this.#person
    if (action.action === "report") return void (contact && this.report.begin(contact))
    if (action.action === "checkClaim") return this.#check(action.subject)
    const isDone = await this.#person.change(async (client, { primary }) => {
      switch (action.action) {
        case "accept":
          void keepStorage()
          return client.accept(primary)
        case "block":
          return client.block(primary)
        case "unblock":
          return client.unblock(primary)
        case "remove":
          return client.removeContact(primary, action.withMessages)
      }
    })
    if (isDone && action.action === "remove") go({ screen: "list" }, true)
  }

  async #check(subject: string): Promise<void> {
    const { contact } = this.#person
    if (contact === undefined || this.checking !== "") return
    this.checking = subject
    try {
      this.#person.takeClaims(await this.client!.checkProofs(contact.primary, subject))
    } catch (error) {
      this.#person.fail(error)
    } finally {
      this.checking = ""
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-profile-screen": ProfileScreen
  }
}
