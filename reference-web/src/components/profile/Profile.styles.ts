import { css } from "lit"

export const styles = css`
  :host {
    display: grid;
    gap: var(--space-6);
  }
  section {
    display: grid;
    gap: var(--space-2);
  }
  .who {
    display: flex;
    align-items: center;
    gap: var(--space-4);
  }
  .who > div {
    min-width: 0;
  }
  :host([panel]) .who {
    display: grid;
    justify-items: center;
    gap: var(--space-3);
    text-align: center;
  }
  .handle {
    font-size: var(--text-name);
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  .soft {
    color: var(--soft);
    font-size: var(--text-small);
  }
  .danger {
    color: var(--danger);
  }
  .number {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: var(--space-1) var(--space-3);
    padding: var(--space-4) var(--space-4) var(--space-3);
    border: 1px solid var(--line);
    border-radius: var(--radius-card);
    background: var(--surface);
  }
  .number > :not(kez-icon) {
    grid-column: 2;
  }
  .number > kez-icon {
    grid-row: 1;
    margin-top: 0.125rem;
    color: var(--soft);
  }
  .number.good > kez-icon {
    color: var(--accent);
  }
  .number.changed {
    border-color: transparent;
    background: var(--danger-soft);
    color: var(--danger);
  }
  .number.changed :is(kez-icon, .soft, a) {
    color: var(--danger);
  }
  .number h2 {
    font: 600 1rem / 1.5 var(--sans);
  }
  .row {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    align-items: center;
    gap: var(--space-3);
    min-height: max(var(--target), 2.75rem);
    padding: var(--space-2) var(--space-4);
    border: 1px solid var(--line);
    border-radius: var(--radius-card);
    background: var(--surface);
    color: var(--ink);
    text-decoration: none;
  }
  .row:hover {
    background: var(--sunken);
  }
  .row span {
    overflow-wrap: anywhere;
  }
  .row kez-icon {
    color: var(--soft);
  }
  a.go {
    display: inline-flex;
    align-items: center;
    min-height: var(--target);
    width: fit-content;
    font-weight: 600;
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
  }
  label {
    display: flex;
    align-items: flex-start;
    gap: var(--space-2);
    min-height: var(--target);
    margin-top: var(--space-3);
  }
  input {
    flex: none;
    width: 1.25rem;
    height: 1.25rem;
    margin: 0.125rem 0 0;
    accent-color: var(--accent);
  }
`
