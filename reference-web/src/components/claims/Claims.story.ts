import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./Claims.ts"

export default {
  element: "kez-claims",
  states: {
    some: () => html`<kez-claims .claims=${Sample.whole.claims}></kez-claims>`,
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
