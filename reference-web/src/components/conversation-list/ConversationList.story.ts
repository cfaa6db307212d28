import type { Conversation } from "@kez-chat/sdk/promise"
import { html } from "lit"
import { me, message, noon, person } from "../../gallery/FakeClient.ts"
import type { Story } from "../../gallery/Story.ts"
import "./ConversationList.ts"

const day = 86_400_000

const row = (
  handle: string,
  byte: string,
  text: string,
  more: Partial<Conversation> = {},
  daysAgo = 0
): Conversation => {
  const contact = person(handle, byte)
  const last = message(contact.primary, text, { arrivedAt: noon - daysAgo * day })
  return { peer: contact.primary, contact, last, lastAt: last.arrivedAt, unread: 0, ...more }
}

const changed = person("tove@kez.lat", "6b", { state: "changed" })

const rows: ReadonlyArray<Conversation> = [
  row("chris@kez.lat", "0b", "The plans are ready. Have a look before Monday, then we can talk.", { unread: 2 }),
  row("mia@kez.lat", "1c", "See you there", { draft: "Shall I bring the" }),
  {
    ...row("jonas@other.example", "2d", "x"),
    last: message("x", "I will be there at nine.", { state: "queued", arrivedAt: noon })
  },
  { ...row("tove@kez.lat", "6b", "My new key"), contact: changed },
  { ...row("x", "9a", "Milk, bread, 24 words"), contact: undefined as never, peer: me.primary },
  row("אורי@kez.lat", "7c", "שלום, מה שלומך היום?", { unread: 1204 }, 3),
  { ...row("spam@kez.lat", "8d", "Buy now", {}, 40), contact: person("spam@kez.lat", "8d", { state: "blocked" }) },
  { ...row("ed25519:" + "4f".repeat(32), "4f", "", {}, 400) }
]

const list = (conversations: ReadonlyArray<Conversation>, requests = 0) =>
  html`<kez-conversation-list
    .conversations=${conversations}
    .requests=${requests}
    selected="mia@kez.lat"
    own=${me.handle}
    home="kez.lat"
  ></kez-conversation-list>`

export default {
  element: "kez-conversation-list",
  height: 640,
  states: {
    rows: () => list(rows, 2),
    empty: () => list([]),
    "one request": () => list([], 1)
  }
} satisfies Story
