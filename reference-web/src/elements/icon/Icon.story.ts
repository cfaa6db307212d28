import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import { iconNames } from "./Icon.ts"

export default {
  element: "kez-icon",
  states: Object.fromEntries(
    iconNames.map((name) => [name, () => html`<span><kez-icon name=${name}></kez-icon> ${name}</span>`])
  )
} satisfies Story
