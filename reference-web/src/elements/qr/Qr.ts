import type { Bitmap2D } from "lean-qr/nano"
import { css, html, LitElement, type PropertyValues, svg } from "lit"
import { customElement, property, state } from "lit/decorators.js"

/** White around the code, in squares of the code, beside the element's own padding. */
const border = 1

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
  @state() private code: Bitmap2D | undefined

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("text") && this.text !== "") void this.#draw(this.text)
  }

  async #draw(text: string): Promise<void> {
    const { correction, generate } = await import("lean-qr/nano")
    const code = generate(text, { minCorrectionLevel: correction.M })
    if (this.text === text) this.code = code
  }

  protected override render() {
    const { code } = this
    const size = code === undefined ? 1 : code.size + 2 * border
    return html`<svg viewBox="0 0 ${size} ${size}" role="img" aria-label=${this.label}>
      ${svg`<path d=${code === undefined ? "" : squares(code)} fill="#000000" shape-rendering="crispEdges" />`}
    </svg>`
  }
}

/** The dark squares of a code as a path. */
const squares = (code: Bitmap2D): string => {
  let path = ""
  for (let y = 0; y < code.size; y += 1)
    for (let x = 0; x < code.size; x += 1) if (code.get(x, y)) path += `M${x + border} ${y + border}h1v1h-1z`
  return path
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-qr": Qr
  }
}
