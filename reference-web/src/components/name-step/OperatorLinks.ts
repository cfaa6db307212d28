import { html, type TemplateResult } from "lit"
import type { Operator } from "../../model/HomeDescription.ts"
import type { Texts } from "../../texts/Texts.ts"

/** Links to what the operator publishes. */
export const operatorLinks = (
  operator: Operator,
  { operator: names }: Texts["signUp"]
): ReadonlyArray<TemplateResult> =>
  (["terms", "privacy", "contact"] as const).flatMap((name) => {
    const url = operator[name] ?? ""
    return url === "" ? [] : html`<a href=${url} target="_blank" rel="noopener">${names[name]}</a> `
  })
