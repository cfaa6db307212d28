import { consume } from "@lit/context"
import type { Verification } from "@kez-chat/sdk/promise"
import { css, html, LitElement, nothing } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import { identityText } from "./IdentityText.ts"

/** The identities elsewhere that a key claims. */
@customElement("kez-claims")
export class Claims extends LitElement {
  static override styles = [
    shared,
    css`
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        padding: var(--space-2) 0;
        overflow-wrap: anywhere;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      .state,
      .system {
        color: var(--soft);
        font-size: var(--text-small);
      }
      s {
        color: var(--soft);
      }
    `
  ]

  @property({ attribute: false }) claims: Verification["claims"] = []
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en

  protected override render() {
    const { people } = this.texts
    if (this.claims.length === 0) return html`<p class="state">${people.claimsNone}</p>`
    return html`<ul>
      ${this.claims.map(({ revoked, subject }) => {
        const { name, system } = identityText(subject)
        return html`<li>
          ${system === "" ? nothing : html`<span class="system">${people.system(system) ?? system}</span>`}
          ${revoked ? html`<s><bdi>${name}</bdi></s>` : html`<bdi>${name}</bdi>`}
          <p class="state">${revoked ? people.takenBack : people.claimed}</p>
        </li>`
      })}
    </ul>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-claims": Claims
  }
}
