import type { KezChatClient } from "@kez-chat/sdk/promise"
import { html, render } from "lit"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { chris, fakeClient } from "../../gallery/FakeClient.ts"
import "./NewScreen.ts"

beforeEach(() => (location.hash = "#/new"))
afterEach(() => {
  render(html``, document.body)
  location.hash = ""
})

/** The screen after `chris` was looked up. */
const lookedUp = async (calls: Partial<KezChatClient>) => {
  const client = fakeClient({ contacts: [], calls })
  render(html`<kez-new-screen handle="chris" .client=${client}></kez-new-screen>`, document.body)
  const screen = document.querySelector("kez-new-screen")!
  await screen.updateComplete
  const root = screen.shadowRoot!
  root.querySelector("form")!.requestSubmit()
  await expect.poll(() => root.querySelector("article")).not.toBeNull()
  return { root, button: () => root.querySelector("article kez-button")! as HTMLElement }
}

const stranger = { handle: chris.handle, primary: chris.primary }

it("shows who somebody is before it adds them", async () => {
  const addContact = vi.fn(async () => chris)
  const persist = vi.spyOn(navigator.storage, "persist").mockResolvedValue(false)
  const { button, root } = await lookedUp({ lookUp: async () => stranger, addContact })
  expect(root.textContent).toContain("kez.lat says that this is chris’s key.")
  expect(root.querySelector("kez-mark")?.primary).toBe(chris.primary)
  expect(addContact).not.toHaveBeenCalled()
  expect(persist).not.toHaveBeenCalled()
  expect(button().textContent).toBe("Add chris")
  button().click()
  await expect.poll(() => location.hash).toBe(`#/c/${encodeURIComponent(chris.handle)}`)
  expect(addContact.mock.calls).toEqual([[chris.handle]])
  expect(persist).toHaveBeenCalledTimes(1)
})

it("leads to a contact who is one already", async () => {
  const addContact = vi.fn(async () => chris)
  const { button } = await lookedUp({ lookUp: async () => ({ ...stranger, contact: chris }), addContact })
  expect(button().textContent).toBe("Write to chris")
  button().click()
  await expect.poll(() => location.hash).toBe(`#/c/${encodeURIComponent(chris.handle)}`)
  expect(addContact).not.toHaveBeenCalled()
})
