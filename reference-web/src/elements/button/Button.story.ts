import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Button.ts"

export default {
  element: "kez-button",
  states: {
    plain: () => html`<kez-button>Block</kez-button>`,
    primary: () => html`<kez-button kind="primary">Choose a name</kez-button>`,
    danger: () => html`<kez-button kind="danger">Delete account</kez-button>`,
    quiet: () => html`<kez-button kind="quiet">Later</kez-button>`,
    busy: () => html`<kez-button kind="primary" busy>Sealing</kez-button>`,
    disabled: () => html`<kez-button kind="primary" disabled>Continue</kez-button>`
  }
} satisfies Story
