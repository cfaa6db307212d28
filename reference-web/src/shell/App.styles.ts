import { css } from "lit"

export const styles = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100dvh;
    background: var(--ground);
  }
  .skip {
    position: absolute;
    left: var(--space-2);
    top: var(--space-2);
    z-index: 10;
    padding: var(--space-2) var(--space-4);
    border-radius: var(--radius-input);
    background: var(--accent);
    color: var(--on-accent);
    transform: translateY(-200%);
  }
  .skip:focus {
    transform: none;
  }
  .bars {
    flex: none;
  }
  .columns {
    flex: 1;
    min-height: 0;
    display: grid;
    grid-template: minmax(0, 1fr) / minmax(0, 1fr);
  }
  nav,
  main,
  aside {
    min-width: 0;
    min-height: 0;
    overflow: auto;
    overscroll-behavior: contain;
  }
  nav {
    background: var(--ground);
  }
  main {
    background: var(--surface);
  }
  aside {
    background: var(--ground);
  }
  main > *,
  nav > *,
  aside > * {
    min-height: 100%;
  }
  .narrow nav,
  .narrow aside {
    display: none;
  }
  .narrow.on-list nav {
    display: block;
  }
  .narrow.on-list main {
    display: none;
  }
  @media (min-width: 48rem) {
    .columns {
      grid-template-columns: 20rem minmax(0, 1fr);
    }
    nav {
      border-right: 1px solid var(--line);
    }
  }
  @media (min-width: 80rem) {
    .columns.with-panel {
      grid-template-columns: 20rem minmax(0, 1fr) 19rem;
    }
    aside {
      border-left: 1px solid var(--line);
    }
  }
  .alone {
    flex: 1;
    min-height: 0;
    overflow: auto;
  }
  .alone > main:not(.message) {
    height: 100%;
  }
  .message {
    max-width: 34rem;
    margin: 0 auto;
    padding: var(--space-7) var(--space-5);
    display: grid;
    gap: var(--space-4);
    justify-items: start;
  }
  .nothing {
    display: grid;
    place-content: center;
    height: 100%;
    padding: var(--space-5);
    text-align: center;
    color: var(--soft);
  }
  .loading {
    display: grid;
    place-content: center;
    height: 100%;
    color: var(--soft);
  }
`
