import { consume } from "@lit/context"
import type { Contact, KezChatClient } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import { accountContext, clientContext } from "../../context.ts"
import { displayName } from "../../model/DisplayName.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../../components/safety/Safety.ts"
import type { KeyDecision } from "../../components/key-change/KeyDecision.ts"
import { PersonController } from "../PersonController.ts"
import { personNotes } from "../PersonNotes.ts"
import { screenHead, screenStyles } from "../ScreenHead.ts"

/** The safety number with a contact. */
@customElement("kez-safety-screen")
export class SafetyScreen extends LitElement {
  static override styles = [shared, screenStyles]

  @property() who = ""
  @consume({ context: clientContext, subscribe: true }) @state() private client: KezChatClient | undefined
  @consume({ context: accountContext }) private browserAccount: WebAccount | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  readonly #person = new PersonController(this, () => this.client, true)

  get #name(): string {
    return displayName(this.#person.contact?.handle ?? this.who, this.#person.account?.server ?? "")
  }

  get #isUnasked(): boolean {
    const { silent } = this.#person
    return silent !== undefined && silent === this.browserAccount?.home.url
  }

  /** For the title of the document. */
  get heading(): string {
    return this.texts.people.safetyWith(this.#name)
  }

  protected override render() {
    const { account, busy, isOwn, isUnknown, verification } = this.#person
    return html`<div class="page">
      ${screenHead(this.heading, { route: { screen: "profile", who: this.who }, label: this.#name })}
      ${personNotes(this.#person, this.who, this.texts)}
      ${
        verification === undefined || isUnknown || isOwn
          ? nothing
          : html`<kez-safety
              .verification=${verification}
              .name=${this.#name}
              .server=${account?.server ?? ""}
              ?unasked=${this.#isUnasked}
              ?busy=${busy}
              @kez-key-decision=${(event: CustomEvent<KeyDecision>) => this.#decide(event.detail)}
            ></kez-safety>`
      }
    </div>`
  }

  async #decide(decision: KeyDecision): Promise<void> {
    await this.#person.change((client, contact) => carryOut(client, contact, decision))
  }
}

const carryOut = async (client: KezChatClient, contact: Contact, decision: KeyDecision): Promise<void> => {
  const who = contact.primary
  switch (decision.action) {
    case "confirm":
      await client.confirmKey(who, decision.primary)
      break
    case "unconfirm":
      await client.unconfirmKey(who)
      break
    case "accept":
      await client.acceptKey(who, decision.primary)
      // Nothing can be confirmed before it is accepted.
      if (decision.compared) await client.confirmKey(decision.primary, decision.primary)
      break
    case "keep":
      await client.keepKey(who)
      break
    case "block":
      await client.block(who)
      break
    case "compare":
      break
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-safety-screen": SafetyScreen
  }
}
