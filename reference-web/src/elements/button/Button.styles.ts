import { css } from "lit"

export const styles = css`
  :host {
    display: inline-block;
  }
  button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: var(--space-2);
    width: 100%;
    min-height: max(var(--target), 2.5rem);
    padding: var(--space-1) var(--space-4);
    border: 1px solid var(--edge);
    border-radius: 999px;
    background: transparent;
    color: var(--ink);
    font-weight: 600;
    line-height: 1.25;
    text-align: center;
    cursor: pointer;
    transition: opacity var(--quick);
  }
  @media (hover: hover) {
    button:hover {
      background: var(--sunken);
    }
    :host([kind="primary"]) button:enabled:hover,
    :host([kind="danger"]) button:enabled:hover {
      opacity: 0.9;
    }
  }
  :host([kind="primary"]) button {
    border-color: transparent;
    background: var(--accent);
    color: var(--on-accent);
  }
  :host([kind="danger"]) button {
    border-color: transparent;
    background: var(--danger);
    color: var(--on-danger);
  }
  :host([kind="quiet"]) button {
    border-color: transparent;
    color: var(--accent);
  }
  button:disabled {
    cursor: default;
    opacity: 0.55;
  }
  @media (forced-colors: active) {
    button {
      border-color: ButtonText !important;
    }
  }
`
