import type { Contact, KezChatClient, Message } from "@kez-chat/sdk/promise"
import { html, render } from "lit"
import { afterEach, describe, expect, it } from "vitest"
import { chris, fakeClient, message, person } from "../../gallery/FakeClient.ts"
import "./Conversation.ts"
import type { Conversation } from "./Conversation.ts"

const show = async (client: KezChatClient, who = chris.handle): Promise<Conversation> => {
  render(
    html`<kez-conversation style="height: 500px; width: 360px" .client=${client} .who=${who}></kez-conversation>`,
    document.body
  )
  const conversation = document.querySelector("kez-conversation")!
  await expect.poll(() => conversation.shadowRoot!.querySelector("kez-message-log, .missing p")).not.toBeNull()
  return conversation
}

const composerOf = (conversation: Conversation) => conversation.shadowRoot!.querySelector("kez-composer")
const textsOf = (conversation: Conversation): ReadonlyArray<string> =>
  conversation.shadowRoot!.querySelector("kez-message-log")!.messages.map(({ text }) => text)
const send = (conversation: Conversation, text: string) =>
  composerOf(conversation)!.dispatchEvent(new CustomEvent("kez-send", { detail: text }))

const counting = () => {
  let count = 0
  return { markRead: async () => void (count += 1), read: () => count }
}

afterEach(() => render(null, document.body))

describe("kez-conversation", () => {
  it("shows what arrives, each message once, and its new state", async () => {
    const client = fakeClient({ messages: [message(chris.primary, "one")] })
    const conversation = await show(client)
    await expect.poll(() => textsOf(conversation)).toEqual(["one"])
    const two = message(chris.primary, "two", { state: "queued" })
    client.emit({ _tag: "Message", message: two, contact: chris })
    client.emit({ _tag: "Message", message: two, contact: chris })
    client.emit({ _tag: "Message", message: message("ed25519:other", "elsewhere"), contact: person("x@kez.lat", "77") })
    client.emit({ _tag: "State", message: { ...two, state: "delivered" } })
    await expect.poll(() => textsOf(conversation)).toEqual(["one", "two"])
    await expect
      .poll(() => conversation.shadowRoot!.querySelector("kez-message-log")!.messages.at(-1)?.state)
      .toBe("delivered")
  })

  it("leaves out an event of a message from before those that are loaded", async () => {
    const messages = Array.from({ length: 100 }, (_, index) => message(chris.primary, `Message ${index}`))
    const client = fakeClient({ messages })
    const conversation = await show(client)
    await expect.poll(() => textsOf(conversation).length).toBe(60)
    client.emit({ _tag: "Request", message: messages[0]!, contact: chris })
    client.emit({ _tag: "Message", message: message(chris.primary, "new"), contact: chris })
    await expect.poll(() => textsOf(conversation).at(-1)).toBe("new")
    expect(textsOf(conversation)[0]).toBe("Message 40")
  })

  it("sends, and forgets the draft", async () => {
    const client = fakeClient({ drafts: { [chris.primary]: "Hello" } })
    const conversation = await show(client)
    await expect.poll(() => composerOf(conversation)?.value).toBe("Hello")
    composerOf(conversation)!.shadowRoot!.querySelector<HTMLButtonElement>('button[aria-label="Send"]')!.click()
    await expect.poll(() => textsOf(conversation)).toEqual(["Hello"])
    await expect.poll(() => client.draft(chris.handle)).toBe("")
  })

  it("removes a message that failed, or puts one that is sent again in its place", async () => {
    const failed = (text: string) => message(chris.primary, text, { state: "failed", failure: "refused" })
    const conversation = await show(fakeClient({ messages: [failed("one"), failed("two")] }))
    await expect.poll(() => textsOf(conversation)).toEqual(["one", "two"])
    const click = async (at: number, label: string) => {
      const rows = conversation.shadowRoot!.querySelector("kez-message-log")!.shadowRoot!
      const buttons = () => [
        ...(rows.querySelectorAll("kez-message")[at]?.shadowRoot!.querySelectorAll("kez-button") ?? [])
      ]
      await expect.poll(() => buttons().map(({ textContent }) => textContent?.trim())).toContain(label)
      buttons()
        .find(({ textContent }) => textContent?.trim() === label)!
        .click()
    }
    await click(1, "Remove")
    await expect.poll(() => textsOf(conversation)).toEqual(["one"])
    await click(0, "Send again")
    await expect
      .poll(() => conversation.shadowRoot!.querySelector("kez-message-log")!.messages.map(({ state }) => state))
      .toEqual(["queued"])
    expect(textsOf(conversation)).toEqual(["one"])
  })

  it("returns a text that was refused, with the reason", async () => {
    const refused = Object.assign(new Error("x"), { _tag: "StoreError", detail: "the store is full" })
    const conversation = await show(fakeClient({ calls: { send: () => Promise.reject(refused) } }))
    send(conversation, "Hello")
    await expect.poll(() => composerOf(conversation)?.value).toBe("Hello")
    expect(composerOf(conversation)?.problem).toBe("the store is full")
  })

  it("marks as read what is looked at, but not what a stranger wrote", async () => {
    const accepted = counting()
    await show(fakeClient({ messages: [message(chris.primary, "one")], calls: { markRead: accepted.markRead } }))
    if (document.hasFocus()) await expect.poll(accepted.read).toBeGreaterThan(0)
    const stranger = counting()
    const oskar = person("oskar@kez.lat", "3e", { state: "requested" })
    const messages: ReadonlyArray<Message> = [message(oskar.primary, "Hello")]
    await show(fakeClient({ contacts: [oskar], messages, calls: { markRead: stranger.markRead } }), oskar.handle)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(stranger.read()).toBe(0)
  })

  it("listens no more once it is gone, also if a draft is stored afterwards", async () => {
    const client = fakeClient({ messages: [message(chris.primary, "one")] })
    const signals: Array<AbortSignal | undefined> = []
    const { events } = client
    const watched = Object.assign(client, {
      events: (options?: { readonly signal?: AbortSignal }) => {
        signals.push(options?.signal)
        return events(options)
      }
    })
    const conversation = await show(watched)
    render(null, document.body)
    composerOf(conversation)!.dispatchEvent(new CustomEvent("kez-draft", { detail: "begun" }))
    await expect.poll(() => client.draft(chris.handle)).toBe("begun")
    await conversation.updateComplete
    expect(signals.map((signal) => signal?.aborted)).toEqual([true])
  })

  it.each<[Contact["state"], boolean]>([
    ["accepted", true],
    ["requested", false],
    ["blocked", false],
    ["changed", false]
  ])("offers to write to a contact that is %s: %s", async (state, expected) => {
    const conversation = await show(fakeClient({ contacts: [{ ...chris, state }] }))
    expect(composerOf(conversation) !== null).toBe(expected)
  })

  it("opens the composer when a request is accepted", async () => {
    const oskar = person("oskar@kez.lat", "3e", { state: "requested" })
    const conversation = await show(fakeClient({ contacts: [oskar] }), oskar.handle)
    const bar = conversation.shadowRoot!.querySelector("kez-contact-bar")!
    bar.dispatchEvent(new CustomEvent("kez-decide", { detail: "accept" }))
    await expect.poll(() => composerOf(conversation)).not.toBeNull()
  })

  it("asks the page to compare safety numbers", async () => {
    const conversation = await show(fakeClient({ contacts: [{ ...chris, state: "changed" }] }))
    let compared: Contact | undefined
    conversation.addEventListener("kez-compare", ({ detail }) => (compared = detail))
    const bar = conversation.shadowRoot!.querySelector("kez-contact-bar")!
    bar.dispatchEvent(new CustomEvent("kez-decide", { detail: "compare" }))
    expect(compared?.primary).toBe(chris.primary)
  })

  it("opens the report of a message, and of a request of the own home server", async () => {
    const oskar = person("oskar@kez.lat", "3e", { state: "requested" })
    const jonas = person("jonas@other.example", "2d", { state: "requested" })
    const said = message(oskar.primary, "Buy gold")
    const conversation = await show(fakeClient({ contacts: [oskar, jonas], messages: [said] }), oskar.handle)
    const dialog = () => conversation.shadowRoot!.querySelector("kez-report")!.shadowRoot!.querySelector("kez-dialog")!
    const bar = () => conversation.shadowRoot!.querySelector("kez-contact-bar")
    expect(bar()?.reportable).toBe(true)
    bar()!.dispatchEvent(new CustomEvent("kez-decide", { detail: "report" }))
    await expect.poll(() => dialog().open).toBe(true)
    expect(dialog().heading).toBe("Report oskar")
    expect(dialog().querySelector<HTMLInputElement>("input[type=checkbox]")!.checked).toBe(false)
    dialog().dialog.close()
    await expect.poll(() => dialog().open).toBe(false)
    conversation
      .shadowRoot!.querySelector("kez-message-log")!
      .dispatchEvent(new CustomEvent("kez-report", { detail: said }))
    await expect.poll(() => dialog().querySelector<HTMLInputElement>("input[type=checkbox]")?.checked).toBe(true)
    dialog().dialog.close()
    conversation.who = jonas.handle
    await expect.poll(() => bar()?.contact?.handle).toBe(jonas.handle)
    // The operator can do nothing about accounts of other servers.
    expect(bar()?.reportable).toBe(false)
  })

  it("keeps what is typed for the one it is for", async () => {
    const mia = person("mia@kez.lat", "1c")
    const client = fakeClient({ contacts: [chris, mia] })
    const conversation = await show(client)
    const area = composerOf(conversation)!.shadowRoot!.querySelector("textarea")!
    area.focus()
    area.value = "for chris"
    area.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }))
    conversation.who = mia.handle
    await expect.poll(() => composerOf(conversation)?.name).toBe("mia")
    expect(composerOf(conversation)?.value).toBe("")
    expect(await client.draft(chris.handle)).toBe("for chris")
    expect(await client.draft(mia.handle)).toBe("")
  })

  it("keeps the newest message in sight while the composer grows", async () => {
    const messages = Array.from({ length: 40 }, (_, index) => message(chris.primary, `Message ${index}`))
    const conversation = await show(fakeClient({ messages }))
    const scroller = conversation.shadowRoot!.querySelector("kez-message-log")!.shadowRoot!.querySelector(".scroller")!
    const distance = () => Math.round(scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop)
    await expect.poll(distance).toBe(0)
    const before = scroller.clientHeight
    const composer = composerOf(conversation)!
    composer.restore("one\ntwo\nthree\nfour")
    await expect.poll(() => before - scroller.clientHeight).toBeGreaterThan(40)
    // The draft is saved, and reported back, in this time.
    await new Promise((resolve) => setTimeout(resolve, 500))
    await expect.poll(distance).toBe(0)
  })

  it("says that a draft cannot be stored, and holds it until it can", async () => {
    const mia = person("mia@kez.lat", "1c")
    const full = Object.assign(new Error("x"), { _tag: "StoreError", reason: "full", detail: "the disk is full" })
    let isFull = true
    const stored = new Map<string, string>()
    const setDraft = async (who: string, text: string) => {
      if (isFull) throw full
      stored.set(who, text)
    }
    const client = fakeClient({ contacts: [chris, mia], calls: { setDraft } })
    const conversation = await show(client)
    const write = (text: string) => {
      composerOf(conversation)!.restore(text)
      return expect.poll(() => composerOf(conversation)!.value).toContain(text)
    }
    await write("Half a thought")
    await expect.poll(() => composerOf(conversation)!.shadowRoot!.textContent).toContain("the disk is full")
    expect(composerOf(conversation)!.shadowRoot!.querySelector("textarea")!.ariaInvalid).toBe("false")
    conversation.who = mia.handle
    await expect.poll(() => composerOf(conversation)?.name).toBe("mia")
    expect(composerOf(conversation)!.shadowRoot!.textContent).not.toContain("the disk is full")
    conversation.who = chris.handle
    await expect.poll(() => composerOf(conversation)?.value).toBe("Half a thought")
    isFull = false
    await write("and the rest")
    await expect.poll(() => stored.get(chris.handle)).toBe("and the rest\nHalf a thought")
    expect(composerOf(conversation)!.unsaved).toBe("")
  })

  it("shows what arrives while it opens", async () => {
    const client = fakeClient()
    let release: () => void = () => undefined
    const history = new Promise<ReadonlyArray<Message>>((resolve) => (release = () => resolve([])))
    const slow = { ...client, history: () => history }
    render(html`<kez-conversation .client=${slow} .who=${chris.handle}></kez-conversation>`, document.body)
    const conversation = document.querySelector("kez-conversation")!
    await new Promise((resolve) => setTimeout(resolve, 50))
    client.emit({ _tag: "Message", message: message(chris.primary, "early"), contact: chris })
    await new Promise((resolve) => setTimeout(resolve, 50))
    release()
    await expect.poll(() => conversation.shadowRoot!.querySelector("kez-message-log")?.messages.length).toBe(1)
  })

  it("shows the draft that another tab keeps", async () => {
    const client = fakeClient()
    const conversation = await show(client)
    await client.setDraft(chris.handle, "from elsewhere")
    await expect.poll(() => composerOf(conversation)?.value).toBe("from elsewhere")
  })
})
