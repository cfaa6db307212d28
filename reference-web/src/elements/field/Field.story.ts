import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Field.ts"

export default {
  element: "kez-field",
  states: {
    empty: () => html`<kez-field label="Name" hint="3 to 32 letters, digits, - and _"></kez-field>`,
    suffix: () => html`<kez-field label="Name" value="chris"><span slot="suffix">@kez.lat</span></kez-field>`,
    error: () => html`<kez-field label="Name" value="Chris!" error="Only small letters, digits, - and _."></kez-field>`,
    password: () =>
      html`<kez-field
        label="Passphrase"
        type="password"
        value="four quiet words"
        showLabel="Show"
        hideLabel="Hide"
      ></kez-field>`,
    disabled: () => html`<kez-field label="Name" value="chris" disabled></kez-field>`
  }
} satisfies Story
