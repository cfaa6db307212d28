import { html, LitElement, render } from "lit"
import { afterEach, describe, expect, it } from "vitest"
import { chris, fakeClient, message, person } from "../gallery/FakeClient.ts"
import { en } from "../texts/Texts.ts"
import { Attention } from "./Attention.ts"

const oskar = person("oskar@kez.lat", "3e", { state: "requested" })
const client = fakeClient({ contacts: [chris, oskar], unread: { [chris.primary]: 2, [oskar.primary]: 5 } })

class Host extends LitElement {
  readonly attention = new Attention(this, {
    client: () => client,
    texts: () => en.conversation,
    title: () => "Conversations"
  })
}
customElements.define("attention-host", Host)

afterEach(() => render(null, document.body))

describe("Attention", () => {
  it("counts in the title what contacts wrote, and not what waits for a decision", async () => {
    render(html`<attention-host></attention-host>`, document.body)
    await expect.poll(() => document.title).toBe("(2) Conversations")
    client.emit({ _tag: "Message", message: message(chris.primary, "three"), contact: chris })
    await expect.poll(() => document.title).toBe("(3) Conversations")
    await client.markRead(chris.handle)
    await expect.poll(() => document.title).toBe("Conversations")
  })
})
