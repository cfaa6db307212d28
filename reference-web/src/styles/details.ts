/** What can be unfolded below a line: names, values and raw texts that few people read. */
import { css } from "lit"

export const details = css`
  details {
    color: var(--soft);
    font-size: var(--text-small);
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
    margin: 0 0 var(--space-3);
  }
  dt {
    color: var(--soft);
    font-size: var(--text-time);
  }
  dd {
    margin: 0 0 var(--space-2);
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
    color: var(--ink);
    white-space: pre-wrap;
  }
  @media (prefers-reduced-motion: reduce) {
    summary kez-icon {
      transition: none;
    }
  }
`
