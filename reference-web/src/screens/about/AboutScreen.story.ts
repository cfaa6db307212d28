import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import { withAccount } from "../../gallery/Provided.ts"
import "./AboutScreen.ts"

export default {
  element: "kez-about-screen",
  states: { wide: () => withAccount(() => html`<kez-about-screen></kez-about-screen>`) }
} satisfies Story
