import { html, type TemplateResult } from "lit"
import type { Message } from "@kez-chat/sdk/promise"
import { chris, message } from "../../gallery/FakeClient.ts"
import type { Story } from "../../gallery/Story.ts"
import "./Message.ts"

const show = (of: Message): TemplateResult =>
  html`<kez-message
    .message=${of}
    name="chris"
    server="kez.lat"
    .profile=${(name: string) => (name === "mia" ? "#/p/mia" : undefined)}
  ></kez-message>`

const said =
  (text: string, more: Partial<Message> = {}) =>
  () =>
    show(message(chris.primary, text, more))

const file = { name: "plans.pdf", mediaType: "application/pdf", size: 3_400_000, blobHash: "" }

export default {
  element: "kez-message",
  states: {
    received: said("The plans are ready. Have a look before Monday?"),
    "just written": said("On it.", { state: "queued", arrivedAt: Date.now() + 60_000 }),
    waiting: said("I will be there at nine.", { state: "queued" }),
    "inbox full": said("I will be there at nine.", { state: "queued", waiting: { reason: "full" } }),
    sent: said("I will be there at nine.", { state: "stored" }),
    delivered: said("I will be there at nine.", { state: "delivered" }),
    read: said("I will be there at nine.", { state: "read" }),
    failed: said("I will be there at nine.", {
      state: "failed",
      failure: "the recipient’s inbox was full for 7 days"
    }),
    "links and names": said(
      "See https://en.wikipedia.org/wiki/Paper_(material) (or https://kez.lat/a?b=c). @mia knows more, @nobody does not; example.com is no link."
    ),
    emoji: said("👩‍🚀 🎉"),
    "right to left": said("שלום, זה קישור https://kez.lat ועוד טקסט"),
    file: said("plans.pdf", { type: "file_share", file }),
    "own file": said("plans.pdf", { type: "file_share", file, state: "delivered" }),
    "newer program": said("chris shared a place: 52.52, 13.40", { type: "place" }),
    "wrong clock": said("Hello from the past.", { suspicious: true, createdAt: new Date(2019, 2, 3).getTime() }),
    equivocation: said("Pay to account 17.", { equivocation: true }),
    fork: said("Written elsewhere.", { fork: true }),
    "long word": said("a".repeat(600)),
    "combining marks": said(`Z${"\u0351\u0358\u0321".repeat(60)}algo ${"e\u0301".repeat(20)}`),
    "bidi override": said("invoice \u202Efdp.exe and https://good.example/\u202Emoc.live")
  }
} satisfies Story
