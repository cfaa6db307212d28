import { consume } from "@lit/context"
import { css, html, LitElement, nothing } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../elements/button/Button.ts"
import "../../elements/icon/Icon.ts"
import { hashOf } from "../../controllers/Route.ts"
import { timeOfDay } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"

/** How long a connection is missing before its end is named and can be tried again, in milliseconds. */
const longMillis = 5 * 60_000

/**
 * Above the conversations: that nothing can be stored, that the account has another key by now, that there is no
 * connection, or how far messages are brought back. Empty while all is well.
 *
 * @fires kez-try-now - The person wants the connection to be tried now.
 */
@customElement("kez-status-bar")
export class StatusBar extends LitElement {
  static override styles = [
    shared,
    css`
      .bar {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        min-height: 2.5rem;
        padding: var(--space-1) var(--space-4);
        background: var(--warn-soft);
        color: var(--warn);
        font-size: var(--text-small);
      }
      .bar.busy {
        background: var(--accent-soft);
        color: var(--ink);
      }
      span {
        flex: 1;
      }
      a {
        color: inherit;
        font-weight: 600;
      }
      progress {
        flex: none;
        width: 6rem;
        accent-color: var(--accent);
      }
    `
  ]

  /** Since when there is no connection, milliseconds since the epoch. */
  @property({ attribute: false }) offlineSince: number | undefined
  /** Why there is none, if the server refuses the account: `suspended`, or `unauthorized` for other reasons. */
  @property() refused = ""
  /** Why what arrives cannot be stored, while that is so; `full`: no space is left. */
  @property() storeFailing = ""
  /** The account has a new key, and this browser the old one. */
  @property({ type: Boolean }) moved = false
  /** Messages that are brought back, while there are more to come. */
  @property({ attribute: false }) catchingUp: { readonly taken: number; readonly of: number } | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  #timer: ReturnType<typeof setTimeout> | undefined

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
  }

  protected override updated(): void {
    clearTimeout(this.#timer)
    if (this.offlineSince === undefined) return
    const left = this.offlineSince + longMillis - Date.now()
    if (left > 0) this.#timer = setTimeout(() => this.requestUpdate(), left + 1)
  }

  protected override render() {
    return html`<div role="status">${this.#content()}</div>`
  }

  #content() {
    const texts = this.texts.common
    const { catchingUp, offlineSince, refused, storeFailing } = this
    if (storeFailing !== "") {
      return html`<div class="bar">
        <kez-icon name="warning"></kez-icon>
        <span>${storeFailing === "full" ? texts.storeFull : texts.storeFailing}</span>
      </div>`
    }
    if (this.moved) {
      return html`<div class="bar">
        <kez-icon name="warning"></kez-icon>
        <span>${texts.moved} <a href=${hashOf({ screen: "settings", part: "rotate" })}>${texts.movedEnter}</a></span>
      </div>`
    }
    if (offlineSince !== undefined && (refused === "suspended" || refused === "unauthorized")) {
      return html`<div class="bar">
        <kez-icon name="warning"></kez-icon>
        <span>${refused === "suspended" ? texts.suspended : texts.refused}</span>
      </div>`
    }
    if (offlineSince !== undefined) {
      const isLong = Date.now() - offlineSince >= longMillis
      return html`<div class="bar">
        <kez-icon name="offline"></kez-icon>
        <span>${isLong ? texts.offlineSince(timeOfDay(offlineSince)) : texts.offline}</span>
        ${
          isLong
            ? html`<kez-button kind="quiet" @click=${() => this.dispatchEvent(new CustomEvent("kez-try-now"))}
                >${texts.tryNow}</kez-button
              >`
            : nothing
        }
      </div>`
    }
    if (catchingUp === undefined || catchingUp.taken >= catchingUp.of) return nothing
    const said = texts.catchingUp(catchingUp.taken, catchingUp.of)
    // The number changes several times a second, which nobody wants to hear.
    return html`<div class="bar busy">
      <span aria-hidden="true">${said}</span>
      <progress aria-label=${said} max=${catchingUp.of} value=${catchingUp.taken}></progress>
    </div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-status-bar": StatusBar
  }
  interface HTMLElementEventMap {
    "kez-try-now": CustomEvent<void>
  }
}
