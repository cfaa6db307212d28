import { css, html, LitElement } from "lit"
import { customElement, property } from "lit/decorators.js"
import { shared } from "../../styles/shared.ts"

const groupsInLine = 4

/** A safety number in lines of four groups, to be read aloud. */
@customElement("kez-safety-number")
export class SafetyNumber extends LitElement {
  static override styles = [
    shared,
    css`
      :host {
        container-type: inline-size;
      }
      div {
        display: grid;
        grid-template-columns: repeat(4, max-content);
        gap: var(--space-2) clamp(0.5rem, 5cqi, 1.25rem);
        font: 600 clamp(1rem, 6.4cqi, 1.375rem) / 1.3 var(--mono);
        font-variant-numeric: tabular-nums;
        user-select: all;
      }
      p {
        display: contents;
      }
      /* Large letters on a narrow screen. */
      @container (max-width: 13rem) {
        div {
          grid-template-columns: repeat(2, max-content);
          font-size: 1.25rem;
        }
      }
    `
  ]

  /** Twelve groups of five digits. */
  @property() number = ""

  protected override render() {
    const groups = this.number.split(" ")
    const lines = Array.from({ length: Math.ceil(groups.length / groupsInLine) }, (_, line) =>
      groups.slice(line * groupsInLine, (line + 1) * groupsInLine)
    )
    return html`<div dir="ltr" translate="no">
      ${lines.map((line) => html`<p>${line.map((group) => html`<span>${group}</span> `)}</p>`)}
    </div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-safety-number": SafetyNumber
  }
}
