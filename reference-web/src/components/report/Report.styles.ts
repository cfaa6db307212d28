import { css } from "lit"

export const styles = css`
  :host {
    display: contents;
  }
  .form {
    display: grid;
    gap: var(--space-4);
  }
  fieldset {
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend,
  .note {
    padding: 0;
    font-weight: 600;
  }
  .messages {
    max-height: 14rem;
    margin-top: var(--space-2);
    overflow-y: auto;
  }
  label {
    display: flex;
    align-items: flex-start;
    gap: var(--space-2);
    min-height: max(var(--target), 2.25rem);
    padding: var(--space-1) 3px;
  }
  label > span {
    min-width: 0;
    overflow-wrap: anywhere;
  }
  input {
    flex: none;
    width: 1.25rem;
    height: 1.25rem;
    margin: 0.125rem 0 0;
    accent-color: var(--accent);
  }
  time,
  .soft {
    color: var(--soft);
    font-size: var(--text-small);
  }
  textarea {
    display: block;
    width: 100%;
    margin-top: var(--space-1);
    padding: var(--space-2) var(--space-3);
    border: 1px solid var(--edge);
    border-radius: var(--radius-input);
    background: var(--surface);
    resize: vertical;
  }
`
