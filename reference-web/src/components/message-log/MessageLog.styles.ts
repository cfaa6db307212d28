import { css } from "lit"

export const styles = css`
  :host {
    position: relative;
    min-height: 0;
    background: var(--surface);
  }
  .scroller {
    display: flex;
    flex-direction: column;
    height: 100%;
    overflow-y: auto;
    overflow-x: clip;
    overscroll-behavior: contain;
    /* The list keeps what is read in its place itself; two of them would fight. */
    overflow-anchor: none;
    container-type: inline-size;
  }
  .scroller:focus-visible {
    outline-offset: -3px;
  }
  .sizer {
    position: relative;
    flex: none;
    width: 100%;
    max-width: 60rem;
    margin: auto auto 0;
  }
  .top {
    position: absolute;
    inset: 0 0 auto;
    display: grid;
    justify-items: center;
    gap: var(--space-3);
    padding: var(--space-4) var(--space-4) 0;
    color: var(--soft);
    font-size: var(--text-small);
    text-align: center;
  }
  .top:empty {
    padding: 0;
  }
  .rows {
    position: absolute;
    inset: 0 0 auto;
    padding: 0 var(--space-4);
  }
  .row {
    display: flow-root;
  }
  .row.apart {
    padding-top: var(--space-3);
  }
  .day,
  .unread,
  .gap {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: var(--space-3);
    padding: var(--space-4) 0 var(--space-2);
    color: var(--soft);
    font-size: var(--text-small);
    text-align: center;
  }
  .day::before,
  .day::after,
  .unread::before,
  .unread::after {
    content: "";
    flex: 1;
    height: 1px;
    background: var(--line);
  }
  .unread {
    color: var(--accent);
    font-weight: 600;
  }
  .unread::before,
  .unread::after {
    background: var(--accent);
  }
  .gap details {
    max-width: 34rem;
    padding: var(--space-1) var(--space-3);
    border: 1px dashed var(--edge);
    border-radius: var(--radius-card);
  }
  .gap summary {
    cursor: pointer;
  }
  .gap p {
    margin-top: var(--space-1);
  }
  .pill {
    position: absolute;
    inset: auto var(--space-4) var(--space-3) auto;
    display: inline-flex;
    align-items: center;
    gap: var(--space-2);
    min-height: max(var(--target), 2.5rem);
    padding: 0 var(--space-3);
    border: 1px solid var(--edge);
    border-radius: 999px;
    background: var(--surface);
    color: var(--accent);
    font-weight: 600;
    font-size: var(--text-small);
    cursor: pointer;
  }
  .pill.new {
    border-color: transparent;
    background: var(--accent);
    color: var(--on-accent);
  }
  .empty {
    display: grid;
    grid-template-rows: auto 1fr;
    flex: 1;
    padding: var(--space-4);
    color: var(--soft);
  }
  .empty p {
    grid-row: 2;
    place-self: center;
    padding: var(--space-5);
    text-align: center;
  }
  /* The same above the first message as without any. */
  ::slotted(*) {
    max-width: 34rem;
    font-size: var(--text-small);
    text-align: start;
  }
  .empty ::slotted(*) {
    justify-self: center;
  }
`
