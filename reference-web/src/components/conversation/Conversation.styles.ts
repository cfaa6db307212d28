import { css } from "lit"

export const styles = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100%;
    min-height: 0;
    background: var(--surface);
  }
  kez-message-log {
    flex: 1;
  }
  .missing {
    display: grid;
    place-content: center;
    gap: var(--space-3);
    flex: 1;
    padding: var(--space-5);
    color: var(--soft);
    text-align: center;
  }
  .above {
    padding: var(--space-3) var(--space-3) 0;
  }
  .above:empty {
    display: none;
  }
`
