import { html } from "lit"
import { fakeClient, message, noon, person } from "../../gallery/FakeClient.ts"
import type { Story } from "../../gallery/Story.ts"
import "./RequestsScreen.ts"

const oskar = person("oskar@kez.lat", "3e", {
  state: "requested",
  admission: { by: "proof", subject: "dns:oskar.example", checkedAt: noon }
})
const stranger = person(`ed25519:${"4f".repeat(32)}`, "4f", { state: "requested" })

export default {
  element: "kez-requests-screen",
  height: 640,
  states: {
    two: () =>
      html`<kez-requests-screen
        .client=${fakeClient({
          contacts: [oskar, stranger],
          messages: [
            message(oskar.primary, "Hello, I got your handle from Mia. Do you have a minute?"),
            message(stranger.primary, `Buy now. ${"Really, a very good offer. ".repeat(20)}`)
          ]
        })}
      ></kez-requests-screen>`,
    none: () => html`<kez-requests-screen .client=${fakeClient()}></kez-requests-screen>`
  }
} satisfies Story
