/** What can happen to a browser while somebody writes. */
import type { CDPSession, Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import {
  button,
  goTo,
  hasChromium,
  heading,
  message,
  restoreFrom,
  settleIn,
  startWith,
  textsOf,
  useStage,
  write
} from "../kit/Journey.ts"

/** The page's account worker, through the browser's debugger. */
const endWorkers = async (page: Page): Promise<void> => {
  const debug: CDPSession = await page.context().browser()!.newBrowserCDPSession()
  const { targetInfos } = await debug.send("Target.getTargets")
  const workers = targetInfos.filter(({ type }) => type === "shared_worker")
  expect(workers.length).toBeGreaterThan(0)
  for (const { targetId } of workers) await debug.send("Target.closeTarget", { targetId })
  await debug.detach()
}

/** Stores something else until this browser takes no more. */
const fillStorage = (page: Page): Promise<void> =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("other")
        opening.addEventListener("upgradeneeded", () =>
          opening.result.createObjectStore("other", { autoIncrement: true })
        )
        opening.addEventListener("error", () => reject(opening.error))
        opening.addEventListener("success", () => {
          const fill = (bytes: number): void => {
            const transaction = opening.result.transaction("other", "readwrite")
            transaction.objectStore("other").put(crypto.getRandomValues(new Uint8Array(bytes)))
            transaction.addEventListener("complete", () => fill(bytes))
            transaction.addEventListener("abort", () => (bytes > 16 ? fill(bytes >> 4) : resolve()))
          }
          fill(65_536)
        })
      })
  )

describe.skipIf(!hasChromium)(
  "a browser",
  () => {
    const stage = useStage()

    it("says that it has no space left, loses nothing, and goes on when there is some", async () => {
      const origin = stage.home.urls.home
      const [page, other] = await Promise.all([stage.visit({}, `${origin}/v1/healthz`), stage.visit()])
      const debug = await page.context().newCDPSession(page)
      await debug.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 8_000_000 })
      await page.goto(origin)
      await Promise.all([settleIn(page, "anna"), settleIn(other, "bert")])
      await startWith(page, "bert")
      await write(page, "Hello, bert")
      await other.getByText("1 person wants to write to you").click()
      await button(other, "Accept").click()
      await message(other, "Hello, bert").waitFor()

      await fillStorage(page)
      await write(other, "While there is no space")
      await page.getByText("No space is left for this page.").waitFor()
      await write(page, "A thought that finds no place")
      await page.getByText(/^Not sent: .*no space left.* Your text is still here\.$/).waitFor()
      expect(await page.getByRole("textbox", { name: "Message to bert" }).inputValue()).toBe(
        "A thought that finds no place"
      )
      await debug.send("Storage.overrideQuotaForOrigin", { origin })
      await message(page, "While there is no space").waitFor()
      await page.getByText("No space is left for this page.").waitFor({ state: "detached" })
      await page.getByRole("textbox", { name: "Message to bert" }).press("Enter")
      await message(other, "A thought that finds no place").waitFor()
      const all = ["Hello, bert", "While there is no space", "A thought that finds no place"]
      expect([await textsOf(page), await textsOf(other)]).toEqual([all, all])
    })

    it("starts the account again when its worker is ended, and takes in once what came meanwhile", async () => {
      const [page, other] = await Promise.all([stage.visit(), stage.visit()])
      const words = await settleIn(page, "carla")
      await settleIn(other, "dirk")
      await startWith(other, "carla")
      await write(other, "Before")
      await page.getByText("1 person wants to write to you").click()
      await button(page, "Accept").click()
      await message(page, "Before").waitFor()
      await write(page, "An answer")
      await message(page, "An answer")
        .getByText(/Delivered|Read/)
        .waitFor()
      const box = page.getByRole("textbox", { name: "Message to dirk" })
      const typed = (text: string) => expect.poll(() => box.inputValue(), { timeout: 20_000 }).toBe(text)
      await box.fill("What is")
      await endWorkers(page)
      // Those of the others start again as well.
      await page.bringToFront()
      await typed("What is")
      // A page that goes away at once after a key.
      await box.press("End")
      await page.evaluate(() => {
        document.execCommand("insertText", false, " in the box")
        location.reload()
      })
      await typed("What is in the box")
      await box.fill("")
      await write(other, "After")
      await message(page, "After").waitFor()
      await write(page, "Still here")
      await message(other, "Still here").waitFor()
      const all = ["Before", "An answer", "After", "Still here"]
      expect([await textsOf(page), await textsOf(other)]).toEqual([all, all])

      // Clearing the data of the site is more: the page says so, and the words bring the account back.
      const debug = await page.context().newCDPSession(page)
      await debug.send("Storage.clearDataForOrigin", { origin: stage.home.urls.home, storageTypes: "all" })
      await heading(page, "This browser has cleared the data of this page")
      await button(page, "Reload").click()
      await heading(page, "This browser has forgotten the key of carla@localhost.")
      await button(page, "Enter my 24 words").click()
      await restoreFrom(page, words, "carla@localhost")
      await goTo(page, "#/c/dirk")
      await message(page, "Still here").waitFor()
      expect(await textsOf(page)).toEqual(all)
    })

    it("keeps nothing of a private window that was closed", async () => {
      const page = await stage.visit()
      await settleIn(page, "emma")
      await goTo(page, "#/c/emma@localhost")
      await write(page, "A note that stays here")
      await page.context().close()
      const next = await stage.visit()
      await heading(next, "Write to people you can be sure of.")
      await goTo(next, "#/c/emma@localhost")
      await heading(next, "Write to people you can be sure of.")
      expect(await next.getByText(/emma/).count()).toBe(0)
    })
  },
  240_000
)
