import { html, nothing, type TemplateResult } from "lit"
import "../../elements/note/Note.ts"
import type { Texts } from "../../texts/Texts.ts"

/** Problem codes after which nothing can be sent to a contact for now. */
export const isRefusal = (code: string | undefined): code is "contact_unreachable" | "federation_unsupported" =>
  code === "contact_unreachable" || code === "federation_unsupported"

/** Why nothing can be sent for now, by the code of the last refusal. */
export const refusalNote = (
  texts: Texts["conversation"],
  refusal: string,
  name: string,
  server: string
): TemplateResult | typeof nothing => {
  if (!isRefusal(refusal)) return nothing
  const text = refusal === "contact_unreachable" ? texts.unreachableText(name) : texts.federation(name, server)
  return html`<kez-note kind="warn" live>${text}</kez-note>`
}
