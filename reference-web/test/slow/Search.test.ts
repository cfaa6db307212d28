/** Finding what was written, and coming back from it. */
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { button, goTo, hasChromium, heading, message, sendAll, settleIn, startWith, useStage } from "../kit/Journey.ts"

/** Searches as one types, and gives the texts that are found, newest first. */
const found = async (page: Page, query: string, count: number): Promise<ReadonlyArray<string>> => {
  await page.getByLabel("Search messages").fill(query)
  await page.getByText(`${count} ${count === 1 ? "message" : "messages"} found`, { exact: true }).waitFor()
  return page.locator("kez-search-screen .text").allInnerTexts()
}

const isInSight = (page: Page, text: string): Promise<boolean> =>
  message(page, text).evaluate((element) => {
    const { bottom, top } = element.getBoundingClientRect()
    return top > 0 && bottom < innerHeight
  })

describe.skipIf(!hasChromium)(
  "a search",
  () => {
    const stage = useStage()

    it("finds words, parts of them and accents, with one person or with all, and leads to each hit and back", async () => {
      const [page, otto, paul] = await Promise.all([stage.visit(), stage.visit(), stage.visit()])
      await Promise.all([settleIn(page, "nora"), settleIn(otto, "otto"), settleIn(paul, "paul")])
      await startWith(page, "paul")
      await sendAll(page, "paul", ["Crème brûlée for paul", "The harbour at dawn"])
      await startWith(page, "otto")
      const lines = Array.from({ length: 200 }, (_, index) => `Line ${index} of a long conversation`)
      const early = ["The lighthouse keeper's CRÈME bowl", "A ship in the harbour"]
      await sendAll(page, "otto", [...early, ...lines.slice(0, 100)])
      await sendAll(page, "otto", lines.slice(100))

      await goTo(page, "#/search")
      // Every word, in any order; a part of a word; without its accents, in any case.
      expect(await found(page, "bowl lighthouse", 1)).toEqual([early[0]])
      expect(await found(page, "ighthous", 1)).toEqual([early[0]])
      expect(await found(page, "creme", 2)).toEqual([early[0], "Crème brûlée for paul"])
      expect(await found(page, "BRULEE", 1)).toEqual(["Crème brûlée for paul"])
      expect(await page.locator("kez-search-screen mark").allTextContents()).toEqual(["brûlée"])
      await page.getByLabel("Search messages").fill("submarine")
      await page.getByText("Nothing found for “submarine”.").waitFor()

      // More than one page of hits.
      await page.getByLabel("Search messages").fill("long conversation")
      await button(page, "Show more").click()
      await expect.poll(() => page.locator("kez-search-screen .text").count()).toBe(80)

      expect(await found(page, "harbour", 2)).toEqual([early[1], "The harbour at dawn"])
      // With otto alone, from his conversation.
      await goTo(page, "#/c/otto")
      await page.getByRole("link", { name: "Search this conversation" }).click()
      await page.getByText("Only with otto").waitFor()
      expect(await found(page, "harbour", 1)).toEqual([early[1]])
      await page.getByRole("link", { name: "A ship in the harbour" }).click()

      const hit = message(page, "A ship in the harbour")
      await hit.waitFor()
      await expect.poll(() => isInSight(page, "A ship in the harbour"), { timeout: 30_000 }).toBe(true)
      expect(await hit.evaluate((element) => Reflect.get(element, "hit"))).toBe(true)
      expect(await message(page, "Line 199 of").count()).toBe(0)
      await button(page, "To the newest messages").click()
      await message(page, "Line 199 of").waitFor()
      await expect.poll(() => isInSight(page, "Line 199 of"), { timeout: 30_000 }).toBe(true)

      await page.goBack()
      await heading(page, "Search")
      expect(await page.getByLabel("Search messages").inputValue()).toBe("harbour")
      await page.getByText("1 message found").waitFor()
      await page.getByRole("link", { name: "Search all conversations" }).click()
      await page.getByText("2 messages found").waitFor()
      await page.locator("kez-search-screen").getByRole("link", { name: "The harbour at dawn" }).click()
      await message(page, "The harbour at dawn").waitFor()
    })
  },
  240_000
)
