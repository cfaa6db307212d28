import { css } from "lit"

export const styles = css`
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  li {
    display: grid;
    grid-template-columns: 1.25rem minmax(0, 1fr);
    gap: 0 var(--space-3);
    padding: var(--space-3) 0 var(--space-1);
  }
  li + li {
    border-top: 1px solid var(--line);
  }
  li > kez-icon {
    margin-top: 0.125rem;
    color: var(--soft);
  }
  .valid > kez-icon {
    color: var(--accent);
  }
  .broken > kez-icon,
  .broken .state {
    color: var(--danger);
  }
  .name {
    overflow-wrap: anywhere;
  }
  .state,
  .system {
    color: var(--soft);
    font-size: var(--text-small);
  }
  s {
    color: var(--soft);
  }
  dd {
    color: var(--ink);
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
    margin: 0 0 var(--space-3);
  }
`
