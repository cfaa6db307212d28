import { html, type TemplateResult } from "lit"

/** Tells password managers, in a form with a passphrase, whose it is. Nobody sees it. */
export const username = (handle: string): TemplateResult =>
  html`<input
    class="visually-hidden"
    aria-hidden="true"
    tabindex="-1"
    type="text"
    name="username"
    autocomplete="username"
    readonly
    .value=${handle}
  />`
