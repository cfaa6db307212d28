import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import { withClient } from "../../gallery/Provided.ts"
import "./SafetyScreen.ts"

const screen = (verification: typeof Sample.whole) =>
  withClient(
    {
      account: async () => Sample.account,
      contact: async () => verification.contact,
      verification: async () => verification
    },
    () => html`<kez-safety-screen who="chris@kez.lat"></kez-safety-screen>`
  )

export default {
  element: "kez-safety-screen",
  height: 780,
  states: {
    compare: () => screen(Sample.whole),
    changed: () => screen(Sample.replaced)
  }
} satisfies Story
