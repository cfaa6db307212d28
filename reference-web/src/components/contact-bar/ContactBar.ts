import { consume } from "@lit/context"
import type { Contact } from "@kez-chat/sdk/promise"
import { css, html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../elements/button/Button.ts"
import "../../elements/dialog/Dialog.ts"
import "../../elements/note/Note.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import type { Decision } from "./Decision.ts"

/**
 * What stands in the composer's place until the person decides: a request, a block, a changed key.
 *
 * @fires kez-decide - `detail` is the decision.
 */
@customElement("kez-contact-bar")
export class ContactBar extends LitElement {
  static override styles = [
    shared,
    css`
      :host {
        padding: var(--space-3);
        padding-bottom: max(var(--space-3), env(safe-area-inset-bottom));
        border-top: 1px solid var(--line);
        background: var(--surface);
      }
      :host([kept]) {
        border: 0;
        padding-bottom: 0;
      }
      b {
        font-family: var(--serif);
        font-size: var(--text-name);
        font-weight: 600;
        line-height: 1.3;
      }
    `
  ]

  @property({ attribute: false }) contact: Contact | undefined
  /** The other person, as the page names them. */
  @property() name = ""
  /** Their home server. */
  @property() server = ""
  @property({ type: Boolean }) busy = false
  /** Whether the operator of the own home server can do something about them. */
  @property({ type: Boolean }) reportable = false
  /** Why the last decision could not be carried out. */
  @property() problem = ""
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private asksToDelete = false

  protected override render() {
    return html`${this.#note()}
    ${this.problem === "" ? nothing : html`<kez-note kind="danger" live>${this.texts.common.failed(this.problem)}</kez-note>`}`
  }

  #note(): TemplateResult | typeof nothing {
    const { contact, name } = this
    const texts = this.texts.conversation
    if (contact === undefined) return nothing
    switch (contact.state) {
      case "requested":
        return html`<kez-note>
            <p>${texts.requestText(name)}</p>
            ${this.#button("accept", texts.accept, "primary")} ${this.#button("block", texts.block)}
            <kez-button slot="actions" ?busy=${this.busy} @click=${() => (this.asksToDelete = true)}
              >${texts.deleteRequest}</kez-button
            >
            ${this.reportable ? this.#button("report", texts.report) : nothing}
          </kez-note>
          <kez-dialog
            .open=${this.asksToDelete}
            heading=${texts.deleteRequest}
            closeLabel=${this.texts.common.close}
            @kez-close=${() => (this.asksToDelete = false)}
          >
            <p>${texts.deleteRequestQuestion(name)}</p>
            <kez-button slot="actions" @click=${() => (this.asksToDelete = false)}>${texts.keep}</kez-button>
            ${this.#button("delete", texts.deleteRequest, "danger")}
          </kez-dialog>`
      case "blocked":
        return html`<kez-note>
          <p>${texts.blockedText(name)}</p>
          ${this.#button("unblock", texts.unblock)}
        </kez-note>`
      case "changed":
        return this.#changed(contact)
      case "accepted":
        return contact.kept === undefined
          ? nothing
          : html`<kez-note kind="warn">
              <p>${texts.keptKey(name)}</p>
              ${this.#button("compare", texts.compareNew)}
            </kez-note>`
    }
  }

  #changed({ offered, warning }: Contact): TemplateResult {
    const { name, server } = this
    const texts = this.texts.conversation
    const isMove = offered?.origin === "handed_over"
    const title =
      offered === undefined ? texts.troubleTitle(name) : isMove ? texts.movedTitle(name) : texts.changedTitle(name)
    return html`<kez-note kind="warn" live>
      <p><b>${title}</b></p>
      ${
        isMove
          ? html`<p>${texts.movedText(name)}</p>`
          : offered === undefined
            ? html`<p>${warning}</p>`
            : html`<p>${texts.changedUnexplained(name)}</p>
                <p>${texts.changedUsually(name, server)}</p>`
      }
      ${this.#button("compare", texts.compareNew, "primary")}
      ${offered === undefined ? nothing : this.#button("acceptKey", isMove ? texts.useNewKey : texts.toldMe(name))}
      ${this.#button("keepKey", texts.keepOld)} ${this.#button("block", texts.block)}
    </kez-note>`
  }

  #button(decision: Decision, label: string, kind: "plain" | "primary" | "danger" = "plain"): TemplateResult {
    return html`<kez-button
      slot="actions"
      kind=${kind}
      ?busy=${this.busy}
      @click=${() => this.dispatchEvent(new CustomEvent("kez-decide", { detail: decision }))}
      >${label}</kez-button
    >`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-contact-bar": ContactBar
  }
  interface HTMLElementEventMap {
    "kez-decide": CustomEvent<Decision>
  }
}
