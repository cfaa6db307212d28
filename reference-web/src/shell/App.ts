import { html, LitElement } from "lit"
import { customElement } from "lit/decorators.js"
import { shared } from "../styles/shared.ts"

/** The page. */
@customElement("kez-app")
export class App extends LitElement {
  static override styles = [shared]

  protected override render() {
    return html`<main></main>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-app": App
  }
}
