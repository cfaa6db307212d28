import { consume } from "@lit/context"
import type { Contact, Verification } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { hashOf } from "../../controllers/Route.ts"
import { fullDate } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../../elements/button/Button.ts"
import "../../elements/copy/Copy.ts"
import "../../elements/dialog/Dialog.ts"
import "../../elements/icon/Icon.ts"
import "../../elements/mark/Mark.ts"
import "../chain/Chain.ts"
import { hostOf } from "../chain/ChainLinks.ts"
import "../claims/Claims.ts"
import type { ClaimAction } from "../claims/Claims.ts"
import { styles } from "./Profile.styles.ts"

/** What the user does to a contact, or has done about one of their claims. */
export type ProfileAction =
  | { readonly action: "checkClaim"; readonly subject: string }
  | { readonly action: "accept" | "block" | "unblock" | "report" }
  | { readonly action: "remove"; readonly withMessages: boolean }

/**
 * An account: its key, what is known of the key, what it has signed, and what can be done about it.
 *
 * @fires kez-profile-action - The user chose to accept, block, unblock, report or remove, or to have a claim checked.
 */
@customElement("kez-profile")
export class Profile extends LitElement {
  static override styles = [shared, styles]

  @property({ attribute: false }) contact: Contact | undefined
  /** Absent while it is loaded: the rest is shown already. */
  @property({ attribute: false }) verification: Verification | undefined
  /** The name to speak of. */
  @property() name = ""
  /** Name of the home server. */
  @property() server = ""
  /** It is the user's own account. */
  @property({ type: Boolean }) own = false
  /** In a narrow column beside the conversation. */
  @property({ type: Boolean, reflect: true }) panel = false
  @property({ type: Boolean }) busy = false
  /** The operator of the home server can do something about this account. */
  @property({ type: Boolean }) reportable = false
  /** The subject of the claim that is being checked. */
  @property() checking = ""
  /** The dialog that asks about removal is open. */
  @property({ type: Boolean }) removing = false
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private withMessages = false

  protected override render() {
    const { contact } = this
    if (contact === undefined) return nothing
    const { common, people } = this.texts
    return html`<section>
        <div class="who">
          <kez-mark large .primary=${contact.primary}></kez-mark>
          <div>
            <p class="handle"><bdi>${contact.handle}</bdi></p>
            <p class=${contact.state === "changed" ? "soft danger" : "soft"}>${this.#state(contact)}</p>
          </div>
        </div>
      </section>
      ${this.own ? this.#shareLine(contact) : this.#number(contact)}
      <section>
        <h2>${people.key}</h2>
        <kez-copy .text=${contact.primary} .label=${common.copy} .copiedLabel=${common.copied}></kez-copy>
        <p class="soft">${people.markMeaning}</p>
      </section>
      <a class="row" href=${hashOf({ screen: "files", who: contact.handle })}>
        <kez-icon name="folder"></kez-icon>
        <span>${this.own ? people.filesOwn : people.files(this.name)}</span>
        <kez-icon name="forward"></kez-icon>
      </a>
      ${this.verification === undefined ? nothing : this.#signed(this.verification)}
      ${this.own ? nothing : this.#actions(contact)}`
  }

  #state(contact: Contact): string {
    const { people } = this.texts
    if (this.own) return people.you
    switch (contact.state) {
      case "accepted":
        return people.inContacts(fullDate(contact.addedAt))
      case "requested":
        return people.requested(this.name)
      case "blocked":
        return people.blocked(this.name)
      case "changed":
        return people.changed
    }
  }

  #shareLine({ handle }: Contact): TemplateResult {
    const { common, people } = this.texts
    return html`<section>
      <h2>${people.shareTitle}</h2>
      <kez-copy .text=${people.shareLine(handle)} .label=${common.copy} .copiedLabel=${common.copied}></kez-copy>
    </section>`
  }

  #number(contact: Contact): TemplateResult {
    const { people } = this.texts
    const { name, server } = this
    const isChanged = contact.state === "changed"
    const [word, hint, link] = isChanged
      ? [
          people.numberChanged,
          contact.offered === undefined ? people.numberTrouble(name) : people.numberChangedHint(name),
          people.decide
        ]
      : contact.verified
        ? [
            contact.verifiedAt === undefined
              ? people.numberChecked
              : people.numberCheckedOn(fullDate(contact.verifiedAt)),
            people.numberCheckedHint,
            people.see
          ]
        : [people.numberNotChecked, people.numberNotCheckedHint(server, name), people.compare]
    return html`<div class=${`number ${isChanged ? "changed" : contact.verified ? "good" : ""}`}>
      <kez-icon name=${isChanged ? "warning" : contact.verified ? "check" : "key"}></kez-icon>
      <h2>${people.numberTitle}: ${word}</h2>
      <p class="soft">${hint}</p>
      <a class="go" href=${hashOf({ screen: "safety", who: contact.handle })}>${link}</a>
    </div>`
  }

  #signed(verification: Verification): TemplateResult {
    const { people } = this.texts
    const { claims, endpoints } = verification
    const isKnown = verification.events.length > 0
    return html`${
        isKnown
          ? html`<section>
                <h2>${this.own ? people.endpointsTitleOwn : people.endpointsTitle}</h2>
                ${
                  endpoints.some(({ protocol }) => protocol === "nats")
                    ? nothing
                    : html`<p class="soft">${people.endpointsNone(this.name)}</p>`
                }
                <ul>
                  ${endpoints.map((endpoint) => html`<li>${this.#endpoint(endpoint)}</li>`)}
                </ul>
              </section>
              ${
                claims.length === 0 && !this.own
                  ? nothing
                  : html`<section>
                      <h2>${this.own ? people.claimsTitleOwn : people.claimsTitle(this.name)}</h2>
                      <kez-claims
                        .claims=${claims}
                        .busy=${this.checking}
                        @kez-claim-action=${({ detail: { subject } }: CustomEvent<ClaimAction>) =>
                          this.#act({ action: "checkClaim", subject })}
                      ></kez-claims>
                      ${this.own ? html`<a class="go" href=${hashOf({ screen: "settings", part: "proofs" })}>${people.claimsManage}</a>` : nothing}
                    </section>`
              }`
          : nothing
      }
      <kez-chain .verification=${verification} .name=${this.name} .server=${this.server} ?own=${this.own}></kez-chain>`
  }

  #endpoint(endpoint: Verification["endpoints"][number]): string {
    const { people } = this.texts
    return endpoint.protocol === "nats" ? people.endpointMail(hostOf(endpoint.url)) : people.endpointFiles
  }

  #actions({ state }: Contact): TemplateResult {
    const { common, people } = this.texts
    const { name } = this
    return html`<section>
      <div class="buttons">
        ${
          state === "requested"
            ? html`<kez-button kind="primary" ?busy=${this.busy} @click=${() => this.#act({ action: "accept" })}
                >${people.accept}</kez-button
              >`
            : nothing
        }
        ${
          state === "blocked"
            ? html`<kez-button ?busy=${this.busy} @click=${() => this.#act({ action: "unblock" })}
                >${people.unblock}</kez-button
              >`
            : html`<kez-button ?busy=${this.busy} @click=${() => this.#act({ action: "block" })}
                >${people.block}</kez-button
              >`
        }
        <kez-button ?busy=${this.busy} @click=${() => (this.removing = true)}>${people.remove}</kez-button>
        ${
          this.reportable
            ? html`<kez-button @click=${() => this.#act({ action: "report" })}>${people.report}</kez-button>`
            : nothing
        }
      </div>
      <p class="soft">${people.blockHint(name, this.server)}</p>
      <kez-dialog
        ?open=${this.removing}
        .heading=${people.removeTitle(name)}
        .closeLabel=${common.close}
        @kez-close=${() => (this.removing = false)}
      >
        <p>${people.removeText(name)}</p>
        <label>
          <input
            type="checkbox"
            .checked=${this.withMessages}
            @change=${(event: Event) => (this.withMessages = (event.target as HTMLInputElement).checked)}
          />
          <span>${people.removeMessages}<br /><span class="soft">${people.removeMessagesHint}</span></span>
        </label>
        <kez-button slot="actions" @click=${() => (this.removing = false)}>${common.cancel}</kez-button>
        <kez-button slot="actions" kind="danger" ?busy=${this.busy} @click=${this.#remove}>${people.remove}</kez-button>
      </kez-dialog>
    </section>`
  }

  #remove(): void {
    this.removing = false
    this.#act({ action: "remove", withMessages: this.withMessages })
  }

  #act(action: ProfileAction): void {
    this.dispatchEvent(new CustomEvent("kez-profile-action", { detail: action }))
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-profile": Profile
  }
  interface HTMLElementEventMap {
    "kez-profile-action": CustomEvent<ProfileAction>
  }
}
