import { css } from "lit"

export const styles = css`
  ul {
    margin: 0;
    padding: var(--space-2);
    list-style: none;
  }
  li {
    content-visibility: auto;
    contain-intrinsic-size: auto 4.25rem;
  }
  a {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    align-items: center;
    column-gap: var(--space-3);
    padding: var(--space-2) var(--space-3);
    border-radius: var(--radius-card);
    color: inherit;
    text-decoration: none;
  }
  a:hover {
    background: var(--sunken);
  }
  a:focus-visible {
    outline-offset: -3px;
  }
  a[aria-current="page"] {
    background: var(--accent-soft);
  }
  .mark {
    display: grid;
    place-items: center;
    width: 2.75rem;
    height: 2.75rem;
    border-radius: 22%;
    background: var(--sunken);
    color: var(--soft);
  }
  kez-mark {
    width: 2.75rem;
    height: 2.75rem;
  }
  .name,
  .line {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .name {
    font-weight: 600;
  }
  .line {
    color: var(--soft);
    font-size: var(--text-small);
  }
  .draft {
    color: var(--accent);
    font-weight: 600;
  }
  .unread .line {
    color: var(--ink);
  }
  .warn {
    color: var(--warn);
    font-weight: 600;
  }
  .warn kez-icon {
    display: inline-block;
    width: 1rem;
    height: 1rem;
    margin-right: var(--space-1);
    vertical-align: -0.125em;
  }
  .aside {
    display: grid;
    justify-items: end;
    align-content: center;
    gap: 2px;
    min-height: 2.75rem;
  }
  time {
    color: var(--soft);
    font-size: var(--text-time);
    white-space: nowrap;
  }
  .count {
    min-width: 1.375rem;
    padding: 0 6px;
    border-radius: 999px;
    background: var(--accent);
    color: var(--on-accent);
    font-size: var(--text-time);
    font-weight: 600;
    line-height: 1.375rem;
    text-align: center;
    font-variant-numeric: tabular-nums;
  }
  .state {
    display: flex;
    align-items: center;
    min-height: 1.375rem;
    color: var(--soft);
  }
  .empty {
    display: grid;
    gap: var(--space-2);
    justify-items: center;
    padding: var(--space-7) var(--space-5);
    color: var(--soft);
    text-align: center;
  }
  .empty a {
    display: inline-block;
    margin-top: var(--space-2);
    padding: var(--space-2) var(--space-4);
    border-radius: 999px;
    background: var(--accent);
    color: var(--on-accent);
    font-weight: 600;
  }
  .empty a:hover {
    background: var(--accent);
    opacity: 0.9;
  }
  .requests .name {
    white-space: normal;
    line-height: 1.3;
  }
  .empty p:first-of-type {
    color: var(--ink);
    font-family: var(--serif);
    font-size: var(--text-section);
    font-weight: 600;
  }
  @media (forced-colors: active) {
    a[aria-current="page"] {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
`
