import { css } from "lit"

export const styles = css`
  :host {
    padding: var(--space-2) var(--space-3);
    padding-bottom: max(var(--space-2), env(safe-area-inset-bottom));
    border-top: 1px solid var(--line);
    background: var(--surface);
  }
  kez-note {
    margin-bottom: var(--space-2);
  }
  kez-note kez-copy {
    margin-top: var(--space-2);
    color: var(--ink);
  }
  .box {
    display: flex;
    align-items: flex-end;
    gap: var(--space-1);
    padding: 3px;
    border: 1px solid var(--edge);
    border-radius: var(--radius-bubble);
    border-end-end-radius: var(--space-1);
    background: var(--surface);
  }
  .box:focus-within {
    outline: 3px solid var(--focus);
    outline-offset: 1px;
  }
  textarea {
    flex: 1;
    min-width: 0;
    /* One line stands in the middle of the button beside it. */
    --line-height: max(var(--target), 2.25rem);
    min-height: var(--line-height);
    max-height: min(40dvh, 16rem);
    padding: calc((var(--line-height) - 1.5em) / 2) var(--space-3);
    border: 0;
    border-radius: var(--radius-bubble);
    background: transparent;
    outline: none;
    line-height: 1.5;
    resize: none;
    overflow-y: auto;
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
  }
  textarea:focus-visible {
    outline: none;
  }
  textarea::placeholder {
    color: var(--soft);
    opacity: 1;
    white-space: nowrap;
    text-overflow: ellipsis;
  }
  button {
    display: grid;
    place-items: center;
    flex: none;
    width: max(var(--target), 2.25rem);
    height: max(var(--target), 2.25rem);
    border: 0;
    border-radius: 12px;
    border-end-end-radius: 2px;
    background: var(--accent);
    color: var(--on-accent);
    cursor: pointer;
    transition: opacity var(--quick);
  }
  button[aria-disabled="true"] {
    background: transparent;
    color: var(--soft);
    cursor: default;
  }
  #said {
    padding: var(--space-1) var(--space-3) 0;
    color: var(--soft);
    font-size: var(--text-small);
  }
  #said:empty {
    display: none;
  }
  #said.wrong {
    color: var(--danger);
  }
`
