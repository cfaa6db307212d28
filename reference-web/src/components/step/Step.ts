import { consume } from "@lit/context"
import { css, html, LitElement, nothing, type TemplateResult } from "lit"
import { state } from "lit/decorators.js"
import "../../elements/button/Button.ts"
import "../../elements/icon/Icon.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"

/** A column with a heading, what it asks, and its actions below. */
export const stepStyles = css`
  :host {
    max-width: 36rem;
    margin: 0 auto;
    padding: var(--space-5) clamp(var(--space-4), 5vw, var(--space-5)) var(--space-7);
    container-type: inline-size;
  }
  .back {
    /* The arrow, not the box around it, stands on the edge of the text. */
    margin: 0 0 var(--space-4) calc(-1 * var(--space-4) - var(--space-1));
  }
  /* Without a way back the heading stands where it stood in the steps before. */
  h1:first-child {
    margin-top: calc(max(var(--target), 2.5rem) + var(--space-4));
  }
  .lead {
    margin-top: var(--space-3);
    color: var(--soft);
  }
  .fields {
    display: grid;
    gap: var(--space-4);
    margin-top: var(--space-5);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-3);
    margin-top: var(--space-5);
  }
  kez-note {
    margin-top: var(--space-4);
  }
  @media (min-width: 48rem) and (min-height: 40rem) {
    :host {
      padding-top: 10vh;
    }
  }
  @container (max-width: 24rem) {
    .actions {
      flex-direction: column;
      align-items: stretch;
    }
  }
`

/** A screen of one decision: plain properties in, events out. What runs it moves the focus to its heading. */
export abstract class Step extends LitElement {
  static override styles = [shared, stepStyles]

  @consume({ context: textsContext, subscribe: true }) @state() protected texts: Texts = en

  /** Where a screen reader begins. */
  focusHeading(): void {
    this.renderRoot.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true })
  }

  /** False if a listener refused it by `preventDefault`. */
  protected emit<Name extends keyof StepEvents>(name: Name, ...[detail]: Details<StepEvents[Name]>): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }))
  }

  protected back(): TemplateResult {
    return html`<kez-button class="back" kind="quiet" @click=${() => this.emit("kez-back")}>
      <kez-icon name="back"></kez-icon>${this.texts.common.back}
    </kez-button>`
  }

  protected problem(text: string): TemplateResult | typeof nothing {
    return text === "" ? nothing : html`<kez-note kind="danger" live>${text}</kez-note>`
  }
}

type Details<Detail> = Detail extends undefined ? [] : [detail: Detail]

/** What steps report, by event. */
export interface StepEvents {
  "kez-back": undefined
  "kez-next": undefined
  "kez-retry": undefined
  "kez-done": undefined
  "kez-sign-up": undefined
  "kez-restore": undefined
  /** The text of the name field as it is typed. */
  "kez-name": string
  /** The text of the invite field as it is typed. */
  "kez-invite": string
  /** The words are to be printed. */
  "kez-print": undefined
  /** A passphrase that keeps the rules, for the key that is sealed next. */
  "kez-passphrase": string
  "kez-suggest": undefined
  "kez-unlock": string
  "kez-passkey": undefined
  "kez-persist": undefined
  "kez-add-contact": undefined
  "kez-log-out": undefined
  /** Words as they were entered, separated by spaces. */
  "kez-words": string
}

/** The local part of a handle: what people call its owner. */
export const nameOf = (handle: string): string => handle.split("@", 1)[0]!

/** Moves the focus to the heading of the step that a flow shows now. */
export const focusStep = async (host: LitElement): Promise<void> => {
  await host.updateComplete
  const step = host.renderRoot.querySelector("[data-step]")
  if (!(step instanceof Step)) return
  await step.updateComplete
  step.focusHeading()
}

declare global {
  interface HTMLElementEventMap {
    "kez-back": CustomEvent<void>
    "kez-next": CustomEvent<void>
    "kez-retry": CustomEvent<void>
    "kez-done": CustomEvent<void>
    "kez-name": CustomEvent<string>
    "kez-passphrase": CustomEvent<string>
    "kez-words": CustomEvent<string>
    "kez-unlock": CustomEvent<string>
  }
}
