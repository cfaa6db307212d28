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
  .system,
  details {
    color: var(--soft);
    font-size: var(--text-small);
  }
  s {
    color: var(--soft);
  }
  summary {
    display: inline-flex;
    align-items: center;
    gap: var(--space-1);
    min-height: var(--target);
    margin-left: calc(-1 * var(--space-1));
    padding: 0 var(--space-1);
    border-radius: var(--radius-input);
    cursor: pointer;
    list-style: none;
  }
  summary::-webkit-details-marker {
    display: none;
  }
  summary kez-icon {
    width: 0.875rem;
    height: 0.875rem;
    transition: transform var(--quick);
  }
  details[open] summary kez-icon {
    transform: rotate(90deg);
  }
  dl {
    margin: 0 0 var(--space-2);
  }
  dt {
    font-size: var(--text-time);
  }
  dd {
    margin: 0 0 var(--space-2);
    color: var(--ink);
    overflow-wrap: anywhere;
  }
  code,
  pre {
    font: var(--text-time) / 1.5 var(--mono);
    overflow-wrap: anywhere;
  }
  pre {
    max-height: 18rem;
    margin: 0;
    padding: var(--space-2) var(--space-3);
    overflow: auto;
    border-radius: var(--radius-input);
    background: var(--sunken);
    white-space: pre-wrap;
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
    margin: 0 0 var(--space-3);
  }
  @media (prefers-reduced-motion: reduce) {
    summary kez-icon {
      transition: none;
    }
  }
`
