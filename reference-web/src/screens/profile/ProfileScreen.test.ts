import type { Contact, Event, KezChatClient } from "@kez-chat/sdk/promise"
import { render } from "lit"
import { expect, it, vi } from "vitest"
import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import { withClient } from "../../gallery/Provided.ts"
import "./ProfileScreen.ts"

/** Events that a test sends when it likes. */
const channel = () => {
  const waiting: Array<(result: IteratorResult<Event>) => void> = []
  const next = () => new Promise<IteratorResult<Event>>((resolve) => waiting.push(resolve))
  return {
    events: (): AsyncIterable<Event> => ({ [Symbol.asyncIterator]: () => ({ next }) }),
    send: async (value: Event) => {
      await expect.poll(() => waiting.length).toBeGreaterThan(0)
      waiting.shift()?.({ done: false, value })
    }
  }
}

const open = (calls: Partial<KezChatClient>) => {
  render(html``, document.body)
  render(
    withClient(
      {
        account: async () => Sample.account,
        contact: async () => Sample.contact,
        refreshContact: async () => Sample.contact,
        verification: async () => Sample.whole,
        ...calls
      },
      () => html`<kez-profile-screen who="chris@kez.lat"></kez-profile-screen>`
    ),
    document.body
  )
  return document.querySelector("kez-profile-screen")!
}

const profileOf = (screen: Element) => screen.shadowRoot?.querySelector("kez-profile")

it("shows a change of the contact without asking the servers again, and asks after news about the key", async () => {
  const { events, send } = channel()
  const verification = vi.fn(async () => Sample.whole)
  const screen = open({ events, verification })
  await expect.poll(() => profileOf(screen)?.verification).toBeDefined()
  const verified: Contact = { ...Sample.contact, verified: true }
  await send({ _tag: "Contact", contact: verified })
  await expect.poll(() => profileOf(screen)?.contact?.verified).toBe(true)
  expect(verification).toHaveBeenCalledTimes(1)
  await send({ _tag: "KeyChanged", contact: Sample.replaced.contact })
  await expect.poll(() => verification.mock.calls.length).toBe(2)
})

it("blocks and removes by the key, not by the name", async () => {
  const block = vi.fn(async () => Sample.contact)
  const removeContact = vi.fn(async () => undefined)
  const screen = open({ block, removeContact })
  await expect.poll(() => profileOf(screen)).toBeDefined()
  profileOf(screen)?.dispatchEvent(new CustomEvent("kez-profile-action", { detail: { action: "block" } }))
  await expect.poll(() => block.mock.calls).toEqual([[Sample.primary]])
  await expect.poll(() => profileOf(screen)?.busy).toBe(false)
  const detail = { action: "remove", withMessages: true }
  profileOf(screen)?.dispatchEvent(new CustomEvent("kez-profile-action", { detail }))
  await expect.poll(() => removeContact.mock.calls).toEqual([[Sample.primary, true]])
})

it("offers nothing of that for the own account", async () => {
  const screen = open({ account: async () => ({ ...Sample.account, primary: Sample.primary }) })
  await expect.poll(() => profileOf(screen)?.own).toBe(true)
  const root = profileOf(screen)?.shadowRoot
  expect(root?.querySelectorAll("kez-button, .number")).toHaveLength(0)
  expect(root?.querySelector("kez-copy")?.text).toBe("Write to me: chris@kez.lat")
})

it("has a heading that can take the focus", async () => {
  const screen = open({})
  await expect.poll(() => screen.heading).toBe("chris")
  await screen.updateComplete
  expect(screen.shadowRoot?.querySelector("h1")?.tabIndex).toBe(-1)
})
