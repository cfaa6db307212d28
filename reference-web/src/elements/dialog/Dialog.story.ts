import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "../button/Button.ts"
import "./Dialog.ts"

export default {
  element: "kez-dialog",
  states: {
    open: () =>
      html`<kez-button
          @click=${(event: Event) => ((event.target as HTMLElement).nextElementSibling as HTMLElement).toggleAttribute("open")}
          >Log out</kez-button
        ><kez-dialog heading="Log out of this browser">
          <p>This removes the key and 1,204 messages from this browser.</p>
          <kez-button slot="actions">Stay</kez-button>
          <kez-button slot="actions" kind="danger">Log out</kez-button>
        </kez-dialog>`
  }
} satisfies Story
