import { html } from "lit"
import { chris, fakeClient, me, message, person } from "../../gallery/FakeClient.ts"
import type { Story } from "../../gallery/Story.ts"
import "./SearchScreen.ts"

const mia = person("mia@plans.example", "1c")

const client = () =>
  fakeClient({
    contacts: [chris, mia],
    messages: [
      message(chris.primary, "The plans are ready. Have a look before Monday?"),
      message(chris.primary, "Which plans do you mean?", { state: "read" }),
      message(mia.primary, `${"Something else entirely, and for long. ".repeat(8)} Then the PLANS, and more after it.`),
      message(me.primary, "Ask about the plans", { state: "stored" })
    ]
  })

export default {
  element: "kez-search-screen",
  height: 640,
  states: {
    empty: () => html`<kez-search-screen .client=${client()}></kez-search-screen>`,
    found: () => html`<kez-search-screen .client=${client()} query="plans"></kez-search-screen>`,
    nothing: () => html`<kez-search-screen .client=${client()} query="zebra"></kez-search-screen>`
  }
} satisfies Story
