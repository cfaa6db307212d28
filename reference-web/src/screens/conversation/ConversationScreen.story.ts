import type { Contact, Message } from "@kez-chat/sdk/promise"
import { html } from "lit"
import { chris, fakeClient, me, message, noon, person } from "../../gallery/FakeClient.ts"
import type { Story } from "../../gallery/Story.ts"
import "./ConversationScreen.ts"

const minute = 60_000
const day = 86_400_000

const talk = (peer: string): ReadonlyArray<Message> => [
  message(peer, "Hello, this is chris. I moved here from the old place.", { arrivedAt: noon - day - 90 * minute }),
  message(peer, "Good to see you here.", { state: "read", arrivedAt: noon - day - 88 * minute }),
  message(peer, "Did the plans arrive?", { state: "read", arrivedAt: noon - day - 88 * minute }),
  message(peer, "Not yet.", { arrivedAt: noon - day - 20 * minute }),
  message(peer, "The post is slow this week.", { arrivedAt: noon - day - 19 * minute }),
  message(peer, "They are here: https://kez.lat/plans", { arrivedAt: noon - 60 * minute }),
  message(peer, "plans.pdf", {
    arrivedAt: noon - 59 * minute,
    type: "file_share",
    file: { name: "plans.pdf", mediaType: "application/pdf", size: 3_400_000, blobHash: "" }
  }),
  message(peer, "Thank you. I will read them tonight and write to you tomorrow, before we meet the others.", {
    state: "delivered",
    arrivedAt: noon - 50 * minute
  }),
  message(peer, "🎉", { arrivedAt: noon - 40 * minute })
]

const many = Array.from({ length: 300 }, (_, index) =>
  message(chris.primary, `Message ${index + 1}. ${"More words follow here. ".repeat(index % 5)}`, {
    arrivedAt: noon - (300 - index) * 10 * minute,
    ...(index % 3 === 0 ? { state: "delivered" as const } : {})
  })
)

const screen = (
  contact: Contact,
  messages: ReadonlyArray<Message>,
  more: Parameters<typeof fakeClient>[0] = {},
  at?: number
) => {
  const client = fakeClient({ contacts: [contact], messages, ...more })
  return html`<kez-conversation-screen .client=${client} .who=${contact.handle} .at=${at}></kez-conversation-screen>`
}

const offered = (origin: "handed_over" | "unexplained") =>
  ({ state: "changed", offered: { primary: `ed25519:${"5c".repeat(32)}`, origin } }) as const

const oskar = person("oskar@kez.lat", "3e", { state: "requested" })
const verified = { ...chris, verified: true }

export default {
  element: "kez-conversation-screen",
  height: 780,
  states: {
    talk: () => screen(verified, talk(chris.primary)),
    empty: () => screen(chris, []),
    unread: () => screen(verified, many, { unread: { [chris.primary]: 12 } }),
    "from a search": () => screen(verified, many, {}, many[150]!.order),
    draft: () => screen(verified, talk(chris.primary), { drafts: { [chris.primary]: "Shall I bring the" } }),
    gap: () =>
      screen(verified, [
        message(chris.primary, "First."),
        message(chris.primary, "Fourth.", { gap: 2 }),
        message(chris.primary, "Pay to account 17.", { equivocation: true })
      ]),
    waiting: () =>
      screen(verified, [...talk(chris.primary), message(chris.primary, "Are you there?", { state: "queued" })], {
        connection: "Offline"
      }),
    failed: () =>
      screen(verified, [
        ...talk(chris.primary),
        message(chris.primary, "Are you there?", { state: "failed", failure: "chris deleted the account" })
      ]),
    request: () => screen(oskar, [message(oskar.primary, "Hello, I got your handle from Mia. Do you have a minute?")]),
    blocked: () => screen({ ...chris, state: "blocked" }, talk(chris.primary)),
    "key changed": () => screen({ ...chris, ...offered("unexplained") }, talk(chris.primary)),
    "key handed over": () => screen({ ...chris, ...offered("handed_over") }, talk(chris.primary)),
    notes: () =>
      html`<kez-conversation-screen
        .client=${fakeClient({ messages: [message(me.primary, "Milk, bread", { state: "stored" })] })}
        .who=${me.handle}
      ></kez-conversation-screen>`,
    unknown: () =>
      html`<kez-conversation-screen .client=${fakeClient()} who="nobody@kez.lat"></kez-conversation-screen>`
  }
} satisfies Story
