import { css, LitElement, svg, html } from "lit"
import { customElement, property } from "lit/decorators.js"

/** Paths in a box of 20 by 20, drawn as lines. */
const icons = {
  back: svg`<path d="M12 4 6 10l6 6" />`,
  forward: svg`<path d="m8 4 6 6-6 6" />`,
  close: svg`<path d="m5 5 10 10M15 5 5 15" />`,
  plus: svg`<path d="M10 4v12M4 10h12" />`,
  search: svg`<circle cx="8.75" cy="8.75" r="5" /><path d="m12.5 12.5 4 4" />`,
  settings: svg`<circle cx="12" cy="6" r="2" /><circle cx="7.5" cy="14" r="2" /><path d="M3 6h7M14 6h3M3 14h2.5M9.5 14H17" />`,
  send: svg`<path d="M3.5 10h11M10 5l5 5-5 5" />`,
  more: svg`<path d="M10 5v.01M10 10v.01M10 15v.01" />`,
  copy: svg`<rect x="7" y="7" width="9" height="9" rx="2" /><path d="M13 7V5.5A1.5 1.5 0 0 0 11.5 4h-6A1.5 1.5 0 0 0 4 5.5v6A1.5 1.5 0 0 0 5.5 13H7" />`,
  check: svg`<path d="m4.5 10.5 4 4 7.5-8.5" />`,
  warning: svg`<path d="M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.25v.01" />`,
  info: svg`<circle cx="10" cy="10" r="7" /><path d="M10 9v4.5M10 6.5v.01" />`,
  lock: svg`<rect x="4.5" y="9" width="11" height="7.5" rx="2" /><path d="M7 9V6.75a3 3 0 0 1 6 0V9" />`,
  key: svg`<circle cx="6.5" cy="13.5" r="3" /><path d="m8.75 11.25 7-7M13 7l2 2" />`,
  file: svg`<path d="M5.5 3.5h6l3.5 3.5v9.5h-9.5zM11 3.5V7.5h4" />`,
  folder: svg`<path d="M3 6.5A1.5 1.5 0 0 1 4.5 5h3l2 2h6A1.5 1.5 0 0 1 17 8.5v6A1.5 1.5 0 0 1 15.5 16h-11A1.5 1.5 0 0 1 3 14.5z" />`,
  person: svg`<circle cx="10" cy="7" r="3" /><path d="M4 16.5c.8-3 3.2-4.5 6-4.5s5.2 1.5 6 4.5" />`,
  requests: svg`<path d="M3.5 11.5 5 4.5h10l1.5 7v4h-13zM3.5 11.5H7.5l1 2h3l1-2h4" />`,
  camera: svg`<path d="M3 7h3l1.5-2h5L14 7h3v9H3z" /><circle cx="10" cy="11" r="2.5" />`,
  eye: svg`<path d="M2.5 10S5 5 10 5s7.5 5 7.5 5S15 15 10 15s-7.5-5-7.5-5z" /><circle cx="10" cy="10" r="2" />`,
  hidden: svg`<path d="M3 10s2.5 4.5 7 4.5S17 10 17 10M4.5 13.5 3 15m13-1.5 1 1.5M10 14.5V17" />`,
  offline: svg`<path d="M3 8.5a10 10 0 0 1 14 0M5.5 11.25a6.5 6.5 0 0 1 9 0M10 15v.01M3.5 3.5l13 13" />`,
  down: svg`<path d="M10 4v11M5 10.5l5 5 5-5" />`,
  link: svg`<path d="M8.5 11.5a3 3 0 0 0 4.25 0l2.5-2.5A3 3 0 0 0 11 4.75l-1 1M11.5 8.5a3 3 0 0 0-4.25 0l-2.5 2.5A3 3 0 0 0 9 15.25l1-1" />`,
  broken: svg`<path d="m9 15.25.5-.5M4.75 11l2-2M11 4.75l-.5.5M15.25 9l-2 2M4 4l2 2M14 14l2 2" />`,
  bell: svg`<path d="M5.5 13.5V9a4.5 4.5 0 0 1 9 0v4.5l1.5 1H4zM8.5 17h3" />`,
  keyboard: svg`<rect x="2.5" y="5.5" width="15" height="9" rx="2" /><path d="M6 8.5v.01M10 8.5v.01M14 8.5v.01M7 11.75h6" />`,
  print: svg`<path d="M6 7.5V3.5h8v4M6 14H4V7.5h12V14h-2M6 12h8v4.5H6z" />`
} as const

export type IconName = keyof typeof icons

/** A picture of 20 pixels, hidden from assistive technology: the text beside it, or the control's label, says the same. */
@customElement("kez-icon")
export class Icon extends LitElement {
  static override styles = css`
    :host {
      display: inline-block;
      flex: none;
      width: 1.25rem;
      height: 1.25rem;
    }
    svg {
      display: block;
      width: 100%;
      height: 100%;
      fill: none;
      stroke: currentColor;
      stroke-width: 1.75;
      stroke-linecap: round;
      stroke-linejoin: round;
    }
  `

  @property() name: IconName = "info"

  protected override render() {
    return html`<svg viewBox="0 0 20 20" aria-hidden="true">${icons[this.name]}</svg>`
  }
}

export const iconNames = Object.keys(icons) as ReadonlyArray<IconName>

declare global {
  interface HTMLElementTagNameMap {
    "kez-icon": Icon
  }
}
