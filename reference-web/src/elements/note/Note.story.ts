import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "../button/Button.ts"
import "./Note.ts"

export default {
  element: "kez-note",
  states: {
    info: () => html`<kez-note>No connection. What you write is kept and goes out by itself.</kez-note>`,
    good: () => html`<kez-note kind="good">Checked on 29 November.</kez-note>`,
    warn: () =>
      html`<kez-note kind="warn"
        ><p>chris’s key is not the one you knew.</p>
        <kez-button slot="actions">Compare the new number</kez-button></kez-note
      >`,
    danger: () => html`<kez-note kind="danger">These do not match. Do not send anything private.</kez-note>`
  }
} satisfies Story
