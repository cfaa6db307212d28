import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Mark.ts"

const keys = ["0b", "1c", "2d", "3e", "4f", "5a", "6b", "7c"].map((byte) => `ed25519:${byte.repeat(32)}`)

export default {
  element: "kez-mark",
  states: {
    small: () => html`${keys.map((key) => html`<kez-mark primary=${key}></kez-mark> `)}`,
    large: () => html`<kez-mark large primary=${keys[2]!}></kez-mark>`
  }
} satisfies Story
