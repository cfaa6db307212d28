import { consume } from "@lit/context"
import { css, html, LitElement, nothing } from "lit"
import { customElement, state } from "lit/decorators.js"
import { accountContext } from "../../context.ts"
import { hashOf } from "../../controllers/Route.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import { screenHead, screenStyles } from "../ScreenHead.ts"
import "../../elements/icon/Icon.ts"

/** What is protected and what is not, in equal size. */
@customElement("kez-about-screen")
export class AboutScreen extends LitElement {
  static override styles = [
    shared,
    screenStyles,
    css`
      .page {
        max-width: 60rem;
      }
      .halves {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr));
        gap: var(--space-5);
      }
      section {
        padding: var(--space-5);
        border: 1px solid var(--line);
        border-radius: var(--radius-card);
        background: var(--surface);
      }
      h2 {
        display: flex;
        align-items: center;
        gap: var(--space-2);
      }
      .yes kez-icon {
        color: var(--accent);
      }
      .no kez-icon {
        color: var(--warn);
      }
      ul {
        display: grid;
        gap: var(--space-3);
        margin: var(--space-4) 0 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: var(--space-3);
        overflow-wrap: anywhere;
      }
      li kez-icon {
        margin-top: 0.125rem;
      }
    `
  ]

  @consume({ context: accountContext, subscribe: true }) @state() private account: WebAccount | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en

  /** For the title of the document. */
  get heading(): string {
    return this.texts.people.aboutTitle
  }

  protected override render() {
    const { common, people } = this.texts
    const server = this.account?.home.name ?? location.hostname
    const half = (name: string, title: string, icon: "lock" | "eye", lines: ReadonlyArray<string>) =>
      html`<section class=${name}>
        <h2>${title}</h2>
        <ul>
          ${lines.map((line) => html`<li><kez-icon name=${icon}></kez-icon><span>${line}</span></li>`)}
        </ul>
      </section>`
    return html`<div class="page">
      ${screenHead(this.heading, { route: { screen: "list" }, label: common.back })}
      <div class="halves">
        ${half("yes", people.protectedTitle, "lock", people.protected(server))}
        ${half("no", people.unprotectedTitle, "eye", people.unprotected(server))}
      </div>
      ${
        this.account?.state._tag === "open"
          ? html`<p>
              ${people.aboutExport}
              <a href=${hashOf({ screen: "settings", part: "export" })}>${people.aboutExportLink}</a>
            </p>`
          : nothing
      }
    </div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-about-screen": AboutScreen
  }
}
