import type { Settings } from "@kez-chat/sdk/promise"
import { css, html, type TemplateResult } from "lit"
import type { Preference } from "../../controllers/Preferences.ts"
import { hashOf } from "../../controllers/Route.ts"
import { shared } from "../../styles/shared.ts"
import { Step, stepStyles } from "../step/Step.ts"

export const partStyles = [
  shared,
  stepStyles,
  css`
    :host {
      max-width: 40rem;
      padding-top: var(--space-5);
    }
    .up {
      display: inline-flex;
      align-items: center;
      gap: var(--space-1);
      min-height: max(var(--target), 2.5rem);
      margin: 0 0 var(--space-3) calc(-1 * var(--space-1));
      color: var(--accent);
      font-weight: 600;
      text-decoration: none;
    }
    section {
      display: grid;
      gap: var(--space-3);
      justify-items: start;
      margin-top: var(--space-5);
      padding-top: var(--space-5);
      border-top: 1px solid var(--line);
    }
    h1 + section {
      border-top: 0;
      padding-top: 0;
    }
    section > * {
      max-width: 100%;
    }
    section > kez-switch,
    section > kez-choice,
    section > kez-copy,
    section > kez-note,
    section > dl {
      justify-self: stretch;
    }
    section > kez-note {
      margin-top: 0;
    }
    .help {
      color: var(--soft);
    }
    .buttons {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-3);
    }
    dl {
      display: grid;
      grid-template-columns: 1fr auto;
      gap: var(--space-2) var(--space-4);
      margin: 0;
    }
    dt {
      color: var(--soft);
    }
    dd {
      margin: 0;
      text-align: right;
      font-variant-numeric: tabular-nums;
    }
  `
]

/** A part of the settings: plain properties in, events out. */
export abstract class Part extends Step {
  static override styles = partStyles

  /** The way up and the heading. */
  protected head(title: string): TemplateResult {
    return html`<a class="up" href=${hashOf({ screen: "settings", part: "" })}>
        <kez-icon name="back"></kez-icon>${this.texts.settings.title}
      </a>
      <h1 tabindex="-1">${title}</h1>`
  }

  protected change<Name extends keyof PartEvents>(name: Name, detail: PartEvents[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }))
  }
}

/** What parts report, by event. */
export interface PartEvents {
  /** Settings of the account to change. */
  "kez-settings": Partial<Settings>
  /** A preference of this browser to change. */
  "kez-preference": readonly [name: Preference, value: string]
  /** Something to do. */
  "kez-action": Action
}

/** Something to do about a name elsewhere. */
export interface ProofAction {
  readonly _tag: "prove" | "check" | "takeBack"
  readonly subject: string
}

/** Something to do about the account's key. */
export type RotationAction =
  | { readonly _tag: "newWords" }
  | { readonly _tag: "enterWords"; readonly words: string }
  | { readonly _tag: "rotate" | "followMove"; readonly passphrase: string }

export type Action =
  | ProofAction
  | RotationAction
  | { readonly _tag: "trim"; readonly box: "mail" | "sent" }
  | { readonly _tag: "persist" | "lock" | "export" | "logOut" | "deleteAccount" }
  | { readonly _tag: "askOnReload"; readonly on: boolean }
  | { readonly _tag: "showWords" | "checkWords"; readonly passphrase: string }
  | { readonly _tag: "hideWords" | "printWords" | "suggest" | "addPasskey" }
  | { readonly _tag: "changePassphrase"; readonly passphrase: string; readonly next: string }
  | { readonly _tag: "removePasskey"; readonly credentialId: Uint8Array }

const rotationTags: ReadonlySet<Action["_tag"]> = new Set(["newWords", "enterWords", "rotate", "followMove"])

export const isRotation = (action: Action): action is RotationAction => rotationTags.has(action._tag)

declare global {
  interface HTMLElementEventMap {
    "kez-settings": CustomEvent<Partial<Settings>>
    "kez-preference": CustomEvent<readonly [name: Preference, value: string]>
    "kez-action": CustomEvent<Action>
  }
}
