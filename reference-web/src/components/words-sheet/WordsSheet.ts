import { consume } from "@lit/context"
import { css, html, LitElement } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { fullDate } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"

/** The sheet of paper with the words: numbers, name, date and where to restore, but no key. */
@customElement("kez-words-sheet")
export class WordsSheet extends LitElement {
  static override styles = [
    shared,
    css`
      :host {
        padding: var(--space-6);
        background: #ffffff;
        color: #000000;
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: var(--space-1) var(--space-4);
        margin: var(--space-4) 0 var(--space-5);
      }
      dd {
        margin: 0;
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      ol {
        display: grid;
        grid-auto-flow: column;
        grid-template: repeat(12, auto) / repeat(2, 1fr);
        gap: var(--space-2) var(--space-6);
        margin: 0 0 var(--space-5);
        padding: var(--space-4) 0;
        border-block: 1px solid #000000;
        list-style: none;
      }
      li {
        display: flex;
        gap: var(--space-3);
        font: 1.125rem / 1.5 var(--mono);
      }
      .number {
        width: 1.5em;
        text-align: right;
      }
    `
  ]

  @property({ attribute: false }) words: ReadonlyArray<string> = []
  @property() handle = ""
  /** Address of the page where the account can be restored. */
  @property() address = ""
  @property({ attribute: false }) date = Date.now()
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en

  protected override render() {
    const { signUp } = this.texts
    return html`<h1>${signUp.sheetTitle}</h1>
      <dl>
        <dt>${signUp.sheetName}</dt>
        <dd>${this.handle}</dd>
        <dt>${signUp.sheetDate}</dt>
        <dd>${fullDate(this.date)}</dd>
        <dt>${signUp.sheetRestore}</dt>
        <dd>${this.address}</dd>
      </dl>
      <ol translate="no">
        ${this.words.map((word, index) => html`<li><span class="number">${index + 1}</span>${word}</li>`)}
      </ol>
      <p>${signUp.sheetWarning}</p>`
  }
}

/** Prints the sheet and nothing else of the page. It is in the document only while the browser prints. */
export const printWords = async (sheet: {
  readonly words: ReadonlyArray<string>
  readonly handle: string
  readonly address: string
}): Promise<void> => {
  const element = Object.assign(document.createElement("kez-words-sheet"), sheet)
  const only = new CSSStyleSheet()
  only.replaceSync(
    "@media screen { kez-words-sheet { display: none } } @media print { body > :not(kez-words-sheet) { display: none !important } }"
  )
  document.adoptedStyleSheets.push(only)
  document.body.append(element)
  await element.updateComplete
  addEventListener(
    "afterprint",
    () => {
      element.words = []
      element.remove()
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== only)
    },
    { once: true }
  )
  print()
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-words-sheet": WordsSheet
  }
}
