import { html, nothing } from "lit"
import { hashOf } from "../controllers/Route.ts"
import "../elements/note/Note.ts"
import type { Texts } from "../texts/Texts.ts"
import type { PersonController } from "./PersonController.ts"

/** What stands above a screen about one account: it is loading, nobody has this name, or something went wrong. */
export const personNotes = (
  { contact, failure, isUnknown }: PersonController,
  who: string,
  { common, people }: Texts
) => {
  if (isUnknown) {
    return html`<kez-note live
      ><p>${people.unknown(who)}</p>
      <p><a href=${hashOf({ screen: "new" })}>${people.add}</a></p></kez-note
    >`
  }
  if (failure !== undefined) return html`<kez-note kind="warn" live>${common.failed(failure)}</kez-note>`
  return contact === undefined ? html`<p class="loading" role="status">${common.loading}</p>` : nothing
}
