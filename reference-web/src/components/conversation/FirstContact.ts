import type { Contact } from "@kez-chat/sdk/promise"
import { html, nothing, type TemplateResult } from "lit"
import "../../elements/button/Button.ts"
import "../../elements/note/Note.ts"
import type { Texts } from "../../texts/Texts.ts"

/** Above the first message: whose word it is that this is the contact's key, until numbers were compared. */
export const firstContact = (
  texts: Texts["conversation"],
  contact: Contact | undefined,
  name: string,
  server: string,
  compare: () => void
): TemplateResult | typeof nothing =>
  contact === undefined || contact.verified || contact.state !== "accepted"
    ? nothing
    : html`<kez-note slot="beginning">
        <p>${texts.firstContact(server, name)}</p>
        <kez-button slot="actions" kind="quiet" @click=${compare}>${texts.compareNumbers}</kez-button>
      </kez-note>`
