import { html } from "lit"
import { chris, fakeClient, message, person } from "../../gallery/FakeClient.ts"
import type { Story } from "../../gallery/Story.ts"
import "./Conversations.ts"

const oskar = person("oskar@kez.lat", "3e", { state: "requested" })
const never = () => new Promise<never>(() => undefined)

export default {
  element: "kez-conversations",
  height: 640,
  states: {
    list: () =>
      html`<kez-conversations
        .client=${fakeClient({
          contacts: [chris, oskar],
          messages: [message(chris.primary, "The plans are ready."), message(oskar.primary, "Hello")]
        })}
        selected=${chris.handle}
      ></kez-conversations>`,
    empty: () => html`<kez-conversations .client=${fakeClient({ contacts: [] })}></kez-conversations>`,
    loading: () =>
      html`<kez-conversations .client=${fakeClient({ calls: { conversations: never } })}></kez-conversations>`
  }
} satisfies Story
