import { css } from "lit"

export const styles = css`
  :host {
    display: grid;
    gap: var(--space-4);
  }
  .soft {
    color: var(--soft);
    font-size: var(--text-small);
  }
  .intro p + p {
    margin-top: var(--space-1);
  }
  section {
    display: grid;
    gap: var(--space-2);
  }
  h2 {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    font: 600 1rem / 1.4 var(--sans);
    overflow-wrap: anywhere;
  }
  h2 bdi {
    min-width: 0;
  }
  h2 kez-icon {
    color: var(--soft);
  }
  ul {
    margin: 0;
    padding: 0;
    border: 1px solid var(--line);
    border-radius: var(--radius-card);
    background: var(--surface);
    list-style: none;
  }
  li {
    display: grid;
    gap: var(--space-1);
    padding: var(--space-3) var(--space-4);
  }
  li + li {
    border-top: 1px solid var(--line);
  }
  .name {
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  .cli {
    display: flex;
    align-items: center;
    gap: var(--space-1);
    color: var(--soft);
    font-size: var(--text-small);
  }
  .cli kez-icon {
    width: 1rem;
    height: 1rem;
  }
  kez-copy {
    margin-top: var(--space-1);
  }
  .older .name {
    color: var(--soft);
  }
  kez-button {
    justify-self: start;
  }
  kez-button[kind="quiet"] {
    margin-left: calc(-1 * var(--space-4));
  }
`
