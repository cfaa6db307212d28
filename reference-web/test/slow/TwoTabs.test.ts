/** One account in two tabs of a browser. */
import { describe, expect, it } from "vitest"
import { button, goTo, hasChromium, message, settleIn, startWith, textsOf, useStage, write } from "../kit/Journey.ts"

describe.skipIf(!hasChromium)(
  "an account in two tabs",
  () => {
    const stage = useStage()

    it("has the same messages, drafts and unread marks in both", async () => {
      const [first, other] = await Promise.all([stage.visit(), stage.visit()])
      await settleIn(first, "lina")
      await settleIn(other, "moritz")
      const second = await first.context().newPage()
      await second.goto(stage.home.urls.home)
      await second.getByRole("link", { name: "New conversation" }).waitFor()

      await startWith(first, "moritz")
      await goTo(second, "#/c/moritz")
      await write(first, "From the first tab")
      await message(second, "From the first tab").waitFor()
      await write(second, "From the second tab")
      await message(first, "From the second tab").waitFor()
      const texts = ["From the first tab", "From the second tab"]
      expect([await textsOf(first), await textsOf(second)]).toEqual([texts, texts])

      // A text that was begun in one is there in the other.
      await second.bringToFront()
      await second.getByRole("textbox", { name: "Message to moritz" }).fill("A thought that is not")
      await second.getByRole("textbox", { name: "Message to moritz" }).blur()
      await goTo(first, "#/")
      await first.getByText("A thought that is not").waitFor()
      await goTo(first, "#/c/moritz")
      const composer = first.getByRole("textbox", { name: "Message to moritz" })
      await expect.poll(() => composer.inputValue(), { timeout: 20_000 }).toBe("A thought that is not")
      await composer.fill("")
      await composer.blur()

      await goTo(first, "#/")
      await goTo(second, "#/")
      await other.getByText("1 person wants to write to you").click()
      await button(other, "Accept").click()
      await write(other, "Two tabs?")
      for (const page of [first, second]) await page.getByText("1 unread message").waitFor({ state: "attached" })
      await first.bringToFront()
      await goTo(first, "#/c/moritz")
      await message(first, "Two tabs?").waitFor()
      for (const page of [first, second]) await page.getByText("1 unread message").waitFor({ state: "detached" })
    })
  },
  240_000
)
