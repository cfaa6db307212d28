import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./AboutScreen.ts"

export default {
  element: "kez-about-screen",
  states: { page: () => html`<kez-about-screen></kez-about-screen>` }
} satisfies Story
