import { css } from "lit"

export const styles = css`
  :host {
    --corner: 4px;
    padding: 1px 0;
  }
  .message {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    justify-items: start;
    position: relative;
    max-width: 100%;
  }
  .message.own {
    justify-items: end;
  }
  .line {
    display: flex;
    align-items: flex-end;
    gap: var(--space-2);
    max-width: 100%;
  }
  .own .line {
    flex-direction: row-reverse;
  }
  .bubble {
    max-width: min(34rem, 82cqi);
    min-width: 0;
    padding: var(--space-2) var(--space-3);
    border-radius: var(--radius-bubble);
    background: var(--theirs);
    color: var(--ink);
    overflow: clip;
  }
  .own .bubble {
    background: var(--mine);
    color: var(--mine-ink);
  }
  .message:not(.own) .bubble {
    border-start-start-radius: var(--corner);
  }
  .message:not(.own).last .bubble {
    border-end-start-radius: var(--radius-bubble);
  }
  .message:not(.own):not(.last) .bubble {
    border-end-start-radius: var(--corner);
  }
  .message.first:not(.own) .bubble {
    border-start-start-radius: var(--radius-bubble);
  }
  .message.last:not(.own) .bubble {
    border-end-start-radius: var(--corner);
  }
  .own .bubble {
    border-start-end-radius: var(--corner);
    border-end-end-radius: var(--corner);
  }
  .own.first .bubble {
    border-start-end-radius: var(--radius-bubble);
  }
  .text {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
    text-align: start;
  }
  .text a {
    unicode-bidi: isolate;
    color: inherit;
    text-decoration-color: color-mix(in srgb, currentColor 55%, transparent);
  }
  .text a.mention {
    font-weight: 600;
    text-decoration: none;
  }
  .text a:hover {
    text-decoration: underline;
  }
  .text.emoji {
    font-size: 2.5rem;
    line-height: 1.15;
  }
  .bubble.bare,
  .own .bubble.bare {
    padding: 0;
    background: none;
    overflow: visible;
  }
  .note {
    margin-top: var(--space-1);
    font-size: var(--text-small);
    color: var(--soft);
  }
  .mark {
    display: flex;
    align-items: flex-start;
    gap: var(--space-2);
    max-width: min(34rem, 100%);
    margin-top: var(--space-1);
    padding: var(--space-1) var(--space-3);
    border-radius: var(--radius-card);
    background: var(--warn-soft);
    color: var(--warn);
    font-size: var(--text-small);
  }
  .mark kez-icon {
    margin-top: 1px;
  }
  .mark summary {
    cursor: pointer;
    list-style: none;
  }
  .mark summary::-webkit-details-marker {
    display: none;
  }
  .mark summary span {
    text-decoration: underline;
    text-underline-offset: 0.2em;
  }
  .mark details p {
    margin-top: var(--space-1);
  }
  /* Time and state: below the last bubble of a run, beside the others while somebody points at them. */
  .info {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    min-height: 1.5rem;
    padding: 0 var(--space-1);
    border: 0;
    border-radius: var(--radius-input);
    background: none;
    color: var(--soft);
    font: inherit;
    font-size: var(--text-time);
    line-height: 1.4;
    white-space: nowrap;
    cursor: pointer;
  }
  .info.failed {
    color: var(--danger);
    font-weight: 600;
  }
  .info.aside {
    flex: none;
    opacity: 0;
    transition: opacity var(--quick);
  }
  .message:hover .info.aside,
  .info.aside:focus-visible,
  .info.aside[aria-expanded="true"] {
    opacity: 1;
  }
  @media (hover: none) {
    .info.aside {
      position: absolute;
      pointer-events: none;
    }
    .message:hover .info.aside[aria-expanded="false"]:not(:focus-visible) {
      opacity: 0;
    }
  }
  /* No room beside a bubble: a tap on it shows both. */
  @container (max-width: 36rem) {
    .info.aside:not(:focus-visible) {
      position: absolute;
      pointer-events: none;
      opacity: 0 !important;
    }
  }
  .sentence {
    display: grid;
    gap: var(--space-2);
    max-width: min(34rem, 100%);
    padding: var(--space-1);
    color: var(--soft);
    font-size: var(--text-small);
  }
  .own .sentence {
    justify-items: end;
    text-align: end;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-1);
  }
  .file {
    display: grid;
    gap: var(--space-2);
    width: min(26rem, 74cqi);
  }
  .offer {
    display: flex;
    align-items: center;
    gap: var(--space-3);
  }
  .offer > div {
    min-width: 0;
  }
  .offer kez-icon {
    width: 1.5rem;
    height: 1.5rem;
  }
  .filename {
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  .size {
    font-size: var(--text-small);
  }
  .hit .bubble {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }
  @media (forced-colors: active) {
    .bubble {
      border: 1px solid CanvasText;
    }
    .own .bubble {
      border-width: 2px;
    }
  }
`
