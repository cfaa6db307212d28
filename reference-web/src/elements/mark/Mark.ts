import { css, html, LitElement, nothing, type PropertyValues, svg } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { hues, size, type Weave, weaveOf } from "./weave.ts"

const box = 48
const step = box / size
const thread = 6

/** One thread's piece that lies above at a crossing. */
const piece = (upright: boolean, column: number, row: number) => {
  const x = column * step + step / 2
  const y = row * step + step / 2
  return upright ? svg`<path d="M${x} ${y - step / 2}v${step}" />` : svg`<path d="M${x - step / 2} ${y}h${step}" />`
}

/** An account's mark, computed from its key: a help for the eye, not a proof. The handle stands beside it. */
@customElement("kez-mark")
export class Mark extends LitElement {
  static override styles = css`
    :host {
      display: inline-block;
      flex: none;
      width: 2.5rem;
      height: 2.5rem;
    }
    :host([large]) {
      width: 5rem;
      height: 5rem;
    }
    svg {
      display: block;
      width: 100%;
      height: 100%;
      border-radius: 22%;
      background: var(--sunken);
    }
  `

  /** `ed25519:<hex>`. */
  @property() primary = ""
  @property({ type: Boolean, reflect: true }) large = false
  @state() private weave: Weave | undefined

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("primary")) return
    this.weave = undefined
    void this.#weave(this.primary)
  }

  async #weave(primary: string): Promise<void> {
    if (primary === "") return
    const weave = await weaveOf(primary)
    if (this.primary === primary) this.weave = weave
  }

  protected override render() {
    const { weave } = this
    if (weave === undefined) return html`<svg viewBox="0 0 48 48" aria-hidden="true"></svg>`
    const [ground, pale] = hues[weave.hue]!
    const lines = Array.from({ length: size }, (_, index) => index * step + step / 2)
    // Each crossing: the lower thread runs through, then a gap of the ground, then the upper thread.
    return html`<svg viewBox="0 0 ${box} ${box}" aria-hidden="true">
        ${svg`<rect width=${box} height=${box} fill=${ground} />
        <g stroke=${pale} stroke-width=${thread}>
          ${lines.map((at) => svg`<path d="M${at} 0v${box}M0 ${at}h${box}" opacity="0.55" />`)}
        </g>
        ${weave.above.map((upright, index) => {
          const [column, row] = [index % size, Math.floor(index / size)]
          return svg`<g stroke=${ground} stroke-width=${thread + 3}>${piece(upright, column, row)}</g>
            <g stroke=${pale} stroke-width=${thread}>${piece(upright, column, row)}</g>`
        })}`}</svg
      >${nothing}`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-mark": Mark
  }
}
