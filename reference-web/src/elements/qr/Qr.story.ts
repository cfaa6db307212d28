import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./Qr.ts"

export default {
  element: "kez-qr",
  states: { number: () => html`<kez-qr text="kez:sn1:${"ab".repeat(43)}" label="Code of the safety number"></kez-qr>` }
} satisfies Story
