import { html, render } from "lit"
import { afterEach, expect, it } from "vitest"
import { setPreference } from "../../controllers/Preferences.ts"
import { fakeClient } from "../../gallery/FakeClient.ts"
import "./Conversations.ts"

afterEach(() => {
  render(html``, document.body)
  localStorage.clear()
  location.hash = ""
})

const day = 24 * 3600 * 1000

const reminder = async (checkedDaysAgo: number) => {
  setPreference("words-checked", String(Date.now() - checkedDaysAgo * day))
  render(html``, document.body)
  render(html`<kez-conversations .client=${fakeClient()}></kez-conversations>`, document.body)
  const list = document.querySelector("kez-conversations")!
  await list.updateComplete
  return list.shadowRoot!.querySelector("kez-words-reminder")
}

const press = (from: Element, index: number) => from.shadowRoot!.querySelectorAll("kez-button")[index]!.click()

it("asks once, 30 days after they were checked, whether the words can still be found", async () => {
  expect(await reminder(29)).toBeNull()
  const shown = (await reminder(31))!
  expect(shown.shadowRoot!.textContent).toContain("Can you still find your 24 words?")
  press(shown, 1)
  expect(await reminder(31)).toBeNull()
  expect(location.hash).toBe("")
})

it("leads to checking them", async () => {
  press((await reminder(31))!, 0)
  expect(location.hash).toBe("#/settings/words")
  expect(await reminder(31)).toBeNull()
})
