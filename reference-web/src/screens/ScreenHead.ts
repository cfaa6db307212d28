/** The head and the frame of a screen that stands by itself. */
import { css, html, nothing, type TemplateResult } from "lit"
import { hashOf, type Route } from "../controllers/Route.ts"
import "../elements/icon/Icon.ts"

interface Back {
  readonly route: Route
  readonly label: string
}

/** The way back, and the heading that gets the focus when the screen is opened. */
export const screenHead = (heading: string, back: Back | undefined): TemplateResult =>
  html`<header>
    ${
      back === undefined
        ? nothing
        : html`<a class="back" href=${hashOf(back.route)}><kez-icon name="back"></kez-icon><bdi>${back.label}</bdi></a>`
    }
    <h1 tabindex="-1"><bdi>${heading}</bdi></h1>
  </header>`

export const screenStyles = css`
  :host {
    height: 100%;
    overflow: auto;
    container-type: inline-size;
  }
  .page {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-5);
    max-width: 38rem;
    margin: 0 auto;
    padding: var(--space-4) var(--space-4) var(--space-7);
  }
  @container (min-width: 40rem) {
    .page {
      padding: var(--space-5) var(--space-5) var(--space-8);
    }
  }
  .back {
    display: inline-flex;
    align-items: center;
    gap: var(--space-1);
    max-width: 100%;
    min-height: max(var(--target), 2.25rem);
    margin: 0 0 var(--space-1) -0.375rem;
    font-weight: 600;
    text-decoration: none;
    overflow-wrap: anywhere;
  }
  .back:hover bdi {
    text-decoration: underline;
  }
  .loading {
    color: var(--soft);
    animation: appear 0s 300ms both;
  }
  @keyframes appear {
    from {
      opacity: 0;
    }
  }
`
