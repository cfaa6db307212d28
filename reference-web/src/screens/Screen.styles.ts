/** The frame of a screen that is not a conversation: a heading with the way back, and one column. */
import { css } from "lit"

export const screenStyles = css`
  :host {
    height: 100%;
    overflow-y: auto;
    overscroll-behavior: contain;
    background: var(--surface);
  }
  .column {
    display: grid;
    gap: var(--space-4);
    max-width: 40rem;
    margin: 0 auto;
    padding: var(--space-3) var(--space-4) var(--space-7);
  }
  header {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    min-height: 3rem;
  }
  header h1 {
    font-size: var(--text-section);
  }
  header a {
    display: grid;
    place-items: center;
    width: max(var(--target), 2.5rem);
    height: max(var(--target), 2.5rem);
    margin-inline-start: calc(-1 * var(--space-2));
    border-radius: 50%;
    color: var(--ink);
  }
  header a:hover {
    background: var(--sunken);
  }
  .soft {
    color: var(--soft);
  }
  .small {
    font-size: var(--text-small);
  }
  form {
    display: flex;
    align-items: flex-start;
    gap: var(--space-2);
  }
  form kez-field {
    flex: 1;
    min-width: 0;
  }
`
