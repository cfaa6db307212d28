/** Somebody without a mouse, and what was written long ago. */
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { goTo, hasChromium, heading, message, sendAll, settleIn, startWith, useStage } from "../kit/Journey.ts"

/** The name of what has the focus, whichever component it is in. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    let element = document.activeElement
    while (element?.shadowRoot?.activeElement != null) element = element.shadowRoot.activeElement
    const root = element?.getRootNode()
    const host = root instanceof ShadowRoot ? root.host : undefined
    const label = element?.getAttribute("aria-label") ?? ""
    return [label, element?.textContent, element?.localName === "button" ? host?.textContent : ""].join(" ")
  })

/** Presses Tab until something with this name has the focus. */
const tabTo = async (page: Page, name: RegExp, key = "Tab"): Promise<void> => {
  const passed: Array<string> = []
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press(key)
    const at = await focused(page)
    if (name.test(at)) return
    passed.push(at.replace(/\s+/g, " ").trim())
  }
  expect.fail(`${String(name)} is not reached by ${key}: ${passed.join(" | ")}`)
}

describe.skipIf(!hasChromium)(
  "a person at a keyboard",
  () => {
    const stage = useStage()

    it("reads, writes, searches and comes back without a mouse", async () => {
      const [page, other] = await Promise.all([stage.visit(), stage.visit()])
      await settleIn(page, "tilda")
      await settleIn(other, "ulf")
      await startWith(page, "ulf")
      await goTo(page, "#/")
      const { keyboard } = page

      await keyboard.press("Alt+ArrowDown")
      await page.getByRole("textbox", { name: "Message to ulf" }).waitFor()
      await tabTo(page, /^Message to ulf/)
      await keyboard.type("Where is the blue notebook?")
      await keyboard.press("Shift+Enter")
      await keyboard.type("I need it.")
      await keyboard.press("Enter")
      await message(page, "Where is the blue notebook?")
        .getByText(/^(?:Sent|Delivered)$/)
        .waitFor()
      await sendAll(
        page,
        "ulf",
        Array.from({ length: 70 }, (_, index) => `Line ${index}`)
      )
      await message(page, "Line 69").waitFor()

      await keyboard.press("Control+k")
      await heading(page, "Search")
      await tabTo(page, /Search messages|^ *$/)
      await keyboard.type("NOTEBÓOK")
      await page.getByText("1 message found").waitFor()
      await tabTo(page, /blue notebook/)
      await keyboard.press("Enter")
      const found = message(page, "Where is the blue notebook?")
      await found.waitFor()
      await expect
        .poll(() => found.evaluate((element) => element.getBoundingClientRect().top), { timeout: 20_000 })
        .toBeGreaterThan(0)
      expect(await found.evaluate((element) => element.getBoundingClientRect().bottom < innerHeight)).toBe(true)

      await tabTo(page, /ulf/)
      await keyboard.press("Enter")
      await heading(page, "ulf")
      await expect.poll(() => page.url()).toContain("#/p/ulf")
      await tabTo(page, /Compare safety numbers/)
      await keyboard.press("Enter")
      await heading(page, "Safety number with ulf")
      await keyboard.press("Escape")
      await expect.poll(() => page.url()).toMatch(/#\/p\/ulf%40localhost$/)
      await keyboard.press("Escape")
      await expect.poll(() => page.url()).toMatch(/#\/$/)

      await tabTo(page, /^Settings/)
      await keyboard.press("Enter")
      await tabTo(page, /Privacy/)
      await keyboard.press("Enter")
      await heading(page, "Privacy")
      await keyboard.press("Escape")
      await heading(page, "Settings")
      await keyboard.press("Escape")
      await expect.poll(() => page.url()).toMatch(/#\/$/)
      await keyboard.press("?")
      await heading(page, "Keyboard")
      await keyboard.press("/")
      await heading(page, "Search")
    })
  },
  240_000
)
