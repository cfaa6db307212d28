import { css } from "lit"

export const styles = css`
  .hint {
    margin-top: var(--space-1);
    color: var(--soft);
    font-size: var(--text-small);
  }
  .order {
    display: flex;
    justify-content: flex-end;
    min-height: var(--target);
  }
  button {
    display: inline-flex;
    align-items: center;
    gap: var(--space-1);
    min-height: max(var(--target), 2rem);
    padding: 0 var(--space-2);
    border: 0;
    border-radius: var(--radius-input);
    background: transparent;
    color: var(--accent);
    font-size: var(--text-small);
    font-weight: 600;
    cursor: pointer;
  }
  button:hover {
    background: var(--sunken);
  }
  .order button {
    margin-right: calc(-1 * var(--space-2));
  }
  ol + button {
    margin-left: calc(-1 * var(--space-2));
  }
  ol {
    margin: var(--space-2) 0 0;
    padding: 0;
    list-style: none;
  }
  li {
    position: relative;
    display: grid;
    grid-template-columns: 1.25rem minmax(0, 1fr);
    gap: 0 var(--space-3);
    min-height: 3.75rem;
    padding-bottom: var(--space-2);
    --thread: var(--accent);
  }
  /* A link seen from the front, and below it the next one seen from its edge. */
  .ring {
    position: relative;
    z-index: 1;
    width: 0.875rem;
    height: 1.75rem;
    margin: 0 auto;
    border: 0.1875rem solid var(--thread);
    border-radius: 999px;
  }
  li:not(:last-child)::after {
    content: "";
    position: absolute;
    top: 1.25rem;
    bottom: -0.5rem;
    left: 0.5rem;
    width: 0.25rem;
    border-radius: 999px;
    background: var(--thread);
  }
  li.closing {
    --thread: var(--warn);
  }
  li.closing .ring {
    background: var(--warn);
  }
  li.before-break:not(:last-child)::after {
    bottom: auto;
    height: 1rem;
  }
  li.break {
    --thread: var(--danger);
    margin: var(--space-1) 0 var(--space-3) calc(-1 * var(--space-2));
    padding: var(--space-3) var(--space-3) var(--space-3) var(--space-2);
    border-radius: var(--radius-card);
    background: var(--danger-soft);
    color: var(--danger);
  }
  li.break::after {
    display: none;
  }
  li.break svg {
    width: 1.25rem;
    height: 2rem;
    fill: none;
    stroke: currentColor;
    stroke-width: 3;
    stroke-linecap: round;
  }
  .statement {
    line-height: 1.4;
  }
  .closing .statement {
    color: var(--warn);
    font-weight: 600;
  }
  s {
    color: var(--soft);
  }
  .below {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 var(--space-2);
    color: var(--soft);
    font-size: var(--text-small);
  }
  .break dl {
    margin: var(--space-2) 0 0;
  }
  .break dt,
  .break dd {
    color: var(--danger);
  }
  footer {
    margin-top: var(--space-2);
    padding-top: var(--space-3);
    border-top: 1px solid var(--line);
    color: var(--soft);
    font-size: var(--text-small);
  }
  .trouble {
    margin-top: var(--space-3);
  }
  .trouble p + p {
    margin-top: var(--space-2);
  }
  @media (forced-colors: active) {
    .ring {
      border-color: CanvasText;
    }
    li:not(:last-child)::after {
      background: CanvasText;
    }
    li.break {
      border: 1px solid CanvasText;
    }
  }
`
