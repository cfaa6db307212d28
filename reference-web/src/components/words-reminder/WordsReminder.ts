import { html } from "lit"
import { customElement } from "lit/decorators.js"
import { setPreference } from "../../controllers/Preferences.ts"
import { go } from "../../controllers/Route.ts"
import "../../elements/note/Note.ts"
import { shared } from "../../styles/shared.ts"
import { Step } from "../step/Step.ts"

/** 30 days after the words were made: can they still be found? Answered once, it hides itself. */
@customElement("kez-words-reminder")
export class WordsReminder extends Step {
  static override styles = [shared]

  protected override render() {
    const { common, settings } = this.texts
    return html`<kez-note>
      ${settings.reminder}
      <kez-button slot="actions" kind="primary" @click=${() => this.#answer(true)}
        >${settings.reminderCheck}</kez-button
      >
      <kez-button slot="actions" kind="quiet" @click=${() => this.#answer(false)}>${common.later}</kez-button>
    </kez-note>`
  }

  #answer(check: boolean): void {
    setPreference("words-reminder", "done")
    this.hidden = true
    if (check) go({ screen: "settings", part: "words" })
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-words-reminder": WordsReminder
  }
}
