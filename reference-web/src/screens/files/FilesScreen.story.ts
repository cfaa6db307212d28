import type { KezChatClient } from "@kez-chat/sdk/promise"
import { html } from "lit"
import * as Files from "../../gallery/FileSample.ts"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import { withClient } from "../../gallery/Provided.ts"
import "./FilesScreen.ts"

const screen = (calls: Partial<KezChatClient>) =>
  withClient(
    { account: async () => Sample.account, contact: async () => Sample.contact, ...calls },
    () => html`<kez-files-screen who="chris@kez.lat"></kez-files-screen>`
  )

export default {
  element: "kez-files-screen",
  height: 780,
  states: {
    some: () => screen({ browse: async () => Files.listing(Files.some) }),
    loading: () => screen({ browse: () => new Promise(() => undefined) }),
    failed: () =>
      screen({ browse: () => Promise.reject(new Error("kez.lat cannot be reached: check your connection")) })
  }
} satisfies Story
