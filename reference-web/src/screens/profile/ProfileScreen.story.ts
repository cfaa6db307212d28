import type { KezChatClient } from "@kez-chat/sdk/promise"
import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import { withClient } from "../../gallery/Provided.ts"
import "./ProfileScreen.ts"

const answering = (calls: Partial<KezChatClient> = {}): Partial<KezChatClient> => ({
  account: async () => Sample.account,
  contact: async () => Sample.contact,
  verification: async () => Sample.whole,
  ...calls
})

const screen = () => html`<kez-profile-screen who="chris@kez.lat"></kez-profile-screen>`

export default {
  element: "kez-profile-screen",
  height: 780,
  states: {
    contact: () => withClient(answering(), screen),
    panel: () =>
      withClient(
        answering(),
        () => html`<kez-profile-screen class="narrow" panel who="chris@kez.lat"></kez-profile-screen>`
      ),
    own: () => withClient(answering({ account: async () => ({ ...Sample.account, primary: Sample.primary }) }), screen),
    unknown: () =>
      withClient(
        answering({ contact: () => Promise.reject(Object.assign(new Error("unknown"), { _tag: "ContactUnknown" })) }),
        screen
      ),
    failed: () =>
      withClient(
        answering({
          verification: () => Promise.reject(new Error("kez.lat cannot be reached: check your connection"))
        }),
        screen
      ),
    loading: () => withClient({}, screen)
  }
} satisfies Story
