import { css } from "lit"

export const styles = css`
  :host {
    display: grid;
    gap: var(--space-5);
  }
  section {
    display: grid;
    gap: var(--space-3);
  }
  .soft {
    color: var(--soft);
  }
  .card {
    padding: var(--space-4);
    border: 1px solid var(--line);
    border-radius: var(--radius-card);
    background: var(--surface);
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
  }
  figure {
    display: grid;
    gap: var(--space-2);
    margin: 0;
  }
  figcaption {
    color: var(--soft);
    font-size: var(--text-small);
  }
  details {
    margin-top: var(--space-1);
    font-size: var(--text-small);
  }
  summary {
    width: fit-content;
    min-height: var(--target);
    align-content: center;
    cursor: pointer;
  }
  kez-note > p + p {
    margin-top: var(--space-2);
  }
  .title {
    font-weight: 700;
  }
`
