import { css, html, LitElement, svg } from "lit"
import { customElement, property } from "lit/decorators.js"

export type LinksState = "queued" | "stored" | "delivered" | "read" | "failed"

const link = (x: number, filled: boolean) =>
  svg`<rect x=${x} y="5" width="10" height="6" rx="3" class=${filled ? "filled" : "open"} />`

const drawings = {
  queued: svg`<circle cx="12" cy="8" r="3.25" class="open" />`,
  stored: svg`${link(7, false)}`,
  delivered: svg`${link(3, false)}${link(11, true)}`,
  read: svg`${link(3, true)}${link(11, true)}`,
  failed: svg`<path d="M9 11H6a3 3 0 0 1 0-6h3M15 5h3a3 3 0 0 1 0 6h-3M11 2.5v2M13 11.5v2" class="open" />`
} as const

/** The sign of a message's state: links of a chain. Hidden from assistive technology; the word beside it says the same. */
@customElement("kez-links")
export class Links extends LitElement {
  static override styles = css`
    :host {
      display: inline-block;
      flex: none;
      width: 1.5rem;
      height: 1rem;
      vertical-align: middle;
    }
    :host([state="failed"]) {
      color: var(--danger);
    }
    svg {
      display: block;
      width: 100%;
      height: 100%;
    }
    .open,
    .filled {
      fill: none;
      stroke: currentColor;
      stroke-width: 1.5;
      stroke-linecap: round;
    }
    .filled {
      fill: currentColor;
    }
    :host([state="delivered"]) rect:last-of-type {
      animation: arrive 180ms cubic-bezier(0.2, 0, 0, 1);
    }
    @keyframes arrive {
      from {
        transform: translateX(4px);
        opacity: 0;
      }
    }
    @media (prefers-reduced-motion: reduce) {
      rect {
        animation: none !important;
      }
    }
  `

  @property({ reflect: true }) state: LinksState = "queued"

  protected override render() {
    return html`<svg viewBox="0 0 24 16" aria-hidden="true">${drawings[this.state]}</svg>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-links": Links
  }
}
