import { html } from "lit"
import { act } from "../../gallery/Act.ts"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./Claims.ts"

export default {
  element: "kez-claims",
  states: {
    some: () => html`<kez-claims .claims=${Sample.claims}></kez-claims>`,
    evidence: () =>
      html`<kez-claims
        own
        .claims=${[Sample.proven]}
        ${act((claims) => claims.shadowRoot?.querySelector("summary")?.click())}
      ></kez-claims>`,
    hostile: () =>
      html`<kez-claims
        .claims=${[
          { ...Sample.unchecked, subject: "dns:\u202egpj.exe\u2066<b>bold</b>.example", revoked: false },
          { ...Sample.unchecked, subject: `web:https://${"long".repeat(100)}.example/`, revoked: true },
          { ...Sample.unchecked, subject: "no system at all", revoked: false }
        ]}
      ></kez-claims>`,
    none: () => html`<kez-claims></kez-claims>`
  }
} satisfies Story
