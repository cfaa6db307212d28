import type { Conversation } from "@kez-chat/sdk/promise"
import { html, render } from "lit"
import { afterEach, describe, expect, it } from "vitest"
import { me, message, person } from "../../gallery/FakeClient.ts"
import "./ConversationList.ts"

const mia = person("mia@kez.lat", "1c")
const jonas = person("jonas@other.example", "2d")

const linesOf = async (conversations: ReadonlyArray<Conversation>): Promise<ReadonlyArray<string>> => {
  render(
    html`<kez-conversation-list
      .conversations=${conversations}
      selected=${mia.handle}
      own=${me.handle}
      home="kez.lat"
    ></kez-conversation-list>`,
    document.body
  )
  const list = document.querySelector("kez-conversation-list")!
  await list.updateComplete
  return [...list.shadowRoot!.querySelectorAll("a")].map((link) => {
    const text = (of: string) => link.querySelector(of)?.textContent.replaceAll(/\s+/g, " ").trim() ?? ""
    const current = link.ariaCurrent === "page" ? " *" : ""
    return `${link.getAttribute("href")} ${text(".name")} | ${text(".line")} | ${text(".count")}${current}`
  })
}

afterEach(() => render(null, document.body))

describe("kez-conversation-list", () => {
  it("names people, their last message or the draft, and what is unread", async () => {
    const lines = await linesOf([
      { peer: mia.primary, contact: mia, unread: 2, last: message(mia.primary, "<b>Hello</b>") },
      { peer: jonas.primary, contact: jonas, unread: 0, last: message(jonas.primary, "On it", { state: "queued" }) },
      { peer: "p", contact: { ...mia, handle: "ada@kez.lat" }, unread: 0, draft: "Shall I" },
      { peer: "q", contact: { ...mia, handle: "tove@kez.lat", state: "changed" }, unread: 0 },
      { peer: me.primary, unread: 0, last: message(me.primary, "Milk", { state: "stored" }) }
    ])
    expect(lines).toEqual([
      "#/c/mia%40kez.lat mia | <b>Hello</b> | 2 2 unread messages *",
      "#/c/jonas%40other.example jonas@other.example | You: On it | ",
      "#/c/ada%40kez.lat ada | Draft: Shall I | ",
      "#/c/tove%40kez.lat tove | Key changed | ",
      "#/c/robin%40kez.lat Notes to self | Milk | "
    ])
  })
})
