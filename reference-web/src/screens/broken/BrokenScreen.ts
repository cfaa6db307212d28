import { consume } from "@lit/context"
import { html, LitElement, nothing } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { brokenTexts } from "../../components/broken/Broken.ts"
import "../../components/confirm-dialog/ConfirmDialog.ts"
import { accountContext } from "../../context.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import type { AccountState, WebAccount } from "@kez-chat/sdk/web-page"

/** No account can be opened here. */
@customElement("kez-broken-screen")
export class BrokenScreen extends LitElement {
  static override styles = [shared]

  @property({ attribute: false }) broken: Extract<AccountState, { _tag: "broken" }> | undefined
  @consume({ context: accountContext, subscribe: true }) @state() private account: WebAccount | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private loggingOut = false

  /** For the document's title. */
  get heading(): string {
    return brokenTexts(this.texts, this.broken?.reason ?? "damaged")[0]
  }

  protected override render() {
    if (this.broken === undefined) return nothing
    const { signUp } = this.texts
    return html`<main>
        <kez-broken
          .reason=${this.broken.reason}
          .detail=${this.broken.detail}
          @kez-retry=${() => location.reload()}
          @kez-log-out=${() => (this.loggingOut = true)}
        ></kez-broken>
      </main>
      <kez-confirm-dialog
        heading=${signUp.logOut}
        text=${signUp.logOutLocked}
        action=${signUp.logOut}
        .open=${this.loggingOut}
        @kez-close=${() => (this.loggingOut = false)}
        @kez-done=${() => this.account?.logOut()}
      ></kez-confirm-dialog>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-broken-screen": BrokenScreen
  }
}
