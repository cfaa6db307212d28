import { html } from "lit"
import { customElement, property } from "lit/decorators.js"
import { Step } from "../step/Step.ts"

/** What the words are, before they are shown. */
@customElement("kez-words-intro")
export class WordsIntro extends Step {
  /** The chosen name, without the server. */
  @property() name = ""

  protected override render() {
    const { signUp } = this.texts
    return html`${this.back()}
      <h1 tabindex="-1">${signUp.introTitle}</h1>
      <p class="lead">${signUp.intro(this.name)}</p>
      <div class="actions">
        <kez-button kind="primary" @click=${() => this.emit("kez-next")}>${signUp.introPaper}</kez-button>
        <kez-button @click=${() => this.emit("kez-print")}
          ><kez-icon name="print"></kez-icon>${signUp.introPrint}</kez-button
        >
      </div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-words-intro": WordsIntro
  }
}
