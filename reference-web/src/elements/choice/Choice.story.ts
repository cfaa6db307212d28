import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Choice.ts"

export default {
  element: "kez-choice",
  states: {
    plain: () =>
      html`<kez-choice
        label="Theme"
        value="dark"
        .options=${[
          { value: "system", label: "Like the system" },
          { value: "light", label: "Light" },
          { value: "dark", label: "Dark" }
        ]}
      ></kez-choice>`,
    hints: () =>
      html`<kez-choice
        label="Who may write to me"
        value="everyone"
        .options=${[
          { value: "everyone", label: "Everyone", hint: "Messages of strangers wait as requests." },
          { value: "contacts", label: "Only my contacts", hint: "Messages of strangers are dropped." }
        ]}
      ></kez-choice>`
  }
} satisfies Story
