/** What the user decides about a contact's key. */
export type KeyDecision =
  | { readonly action: "compare" }
  /** `compared`: the safety number of this key was compared and matches. */
  | { readonly action: "accept"; readonly primary: string; readonly compared: boolean }
  | { readonly action: "keep" }
  | { readonly action: "confirm"; readonly primary: string }
  | { readonly action: "unconfirm" }
  | { readonly action: "block" }

/** The event by which a component hands a decision on. */
export const keyDecision = (decision: KeyDecision): CustomEvent<KeyDecision> =>
  new CustomEvent("kez-key-decision", { detail: decision, bubbles: true, composed: true })

declare global {
  interface HTMLElementEventMap {
    "kez-key-decision": CustomEvent<KeyDecision>
  }
}
