/** Styles that every component starts from. The tokens they use are in `tokens.css`. */
import { css } from "lit"

export const shared = css`
  :host {
    display: block;
    box-sizing: border-box;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3 {
    margin: 0;
    font-family: var(--serif);
    font-weight: 600;
    line-height: 1.2;
    overflow-wrap: anywhere;
  }
  h1 {
    font-size: var(--text-screen);
  }
  h2 {
    font-size: var(--text-section);
  }
  h3 {
    font-size: var(--text-name);
  }
  p {
    margin: 0;
    overflow-wrap: anywhere;
  }
  a {
    color: var(--accent);
    text-underline-offset: 0.2em;
  }
  button,
  input,
  textarea,
  select {
    font: inherit;
    color: inherit;
  }
  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }
  /* These hand the focus on to what is inside them, which shows it. */
  kez-button:focus-visible,
  kez-field:focus-visible,
  kez-composer:focus-visible,
  h1:focus,
  h1:focus-visible {
    outline: none;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    padding: 0;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
    border: 0;
  }
`
