import { css, html, LitElement, type PropertyValues, svg } from "lit"
import { customElement, property, state } from "lit/decorators.js"

/** A QR code, dark on white in every theme, since readers expect that. The drawing code is loaded on first use. */
@customElement("kez-qr")
export class Qr extends LitElement {
  static override styles = css`
    :host {
      display: block;
      width: min(100%, 15rem);
      aspect-ratio: 1;
      padding: 0.5rem;
      border-radius: var(--radius-card);
      background: #ffffff;
      forced-color-adjust: none;
    }
    svg {
      display: block;
      width: 100%;
      height: 100%;
    }
  `

  @property() text = ""
  /** What it is, for assistive technology. */
  @property() label = ""
  @state() private rows: ReadonlyArray<ReadonlyArray<boolean>> = []

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("text") && this.text !== "") void this.#draw(this.text)
  }

  async #draw(text: string): Promise<void> {
    const { default: encodeQR } = await import("qr")
    const rows = encodeQR(text, "raw", { border: 1 })
    if (this.text === text) this.rows = rows
  }

  protected override render() {
    const size = this.rows.length
    const path = this.rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("")
    return html`<svg viewBox="0 0 ${Math.max(size, 1)} ${Math.max(size, 1)}" role="img" aria-label=${this.label}>
      ${svg`<path d=${path} fill="#000000" shape-rendering="crispEdges" />`}
    </svg>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-qr": Qr
  }
}
