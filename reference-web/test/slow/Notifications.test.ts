/** What the page says of messages while nobody looks at it. */
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { button, goTo, hasChromium, message, settleIn, startWith, textsOf, useStage, write } from "../kit/Journey.ts"

interface Shown {
  readonly title: string
  readonly body: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Has the page note what it shows outside itself; a browser without a screen has all its tabs in sight. */
const observe = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    const seen = { away: false, badge: 0, shown: [] as Array<Shown> }
    Object.assign(globalThis, { seen })
    Object.defineProperty(document, "visibilityState", { get: () => (seen.away ? "hidden" : "visible") })
    Object.assign(navigator, {
      setAppBadge: async (count: number) => void (seen.badge = count),
      clearAppBadge: async () => void (seen.badge = 0)
    })
    globalThis.Notification = class extends Notification {
      constructor(title: string, options: NotificationOptions = {}) {
        super(title, options)
        seen.shown.push({ title, body: options.body ?? "", at: Date.now() })
      }
    }
  })

const lookAway = (page: Page, away: boolean): Promise<void> =>
  page.evaluate((value) => {
    Reflect.get(globalThis, "seen").away = value
    document.dispatchEvent(new Event("visibilitychange"))
  }, away)

const seenBy = (page: Page): Promise<{ readonly badge: number; readonly shown: ReadonlyArray<Shown> }> =>
  page.evaluate(() => Reflect.get(globalThis, "seen"))

describe.skipIf(!hasChromium)(
  "a page that nobody looks at",
  () => {
    const stage = useStage()

    it("tells who wrote, with what only where that is wanted, from one tab, and nothing of strangers and blocked", async () => {
      const [page, bob, mallory] = await Promise.all([stage.visit(), stage.visit(), stage.visit()])
      const context = page.context()
      await context.grantPermissions(["notifications"], { origin: stage.home.urls.home })
      await observe(page)
      await page.reload()
      await Promise.all([settleIn(page, "alice"), settleIn(bob, "bob"), settleIn(mallory, "mallory")])
      await startWith(bob, "alice")
      await write(bob, "Hello")
      await page.getByText("1 person wants to write to you").click()
      await button(page, "Accept").click()
      await message(page, "Hello").waitFor()
      expect((await seenBy(page)).shown).toEqual([])
      await goTo(page, "#/settings/notifications")
      await page.getByRole("switch", { name: "Notify me when somebody writes" }).click()
      await goTo(page, "#/")

      const second = await context.newPage()
      await observe(second)
      await second.goto(stage.home.urls.home)
      await second.getByRole("link", { name: "New conversation" }).waitFor()
      const tabs = [page, second]
      const shown = async () =>
        (await Promise.all(tabs.map(seenBy)))
          .flatMap((seen) => seen.shown)
          .toSorted((one, other) => one.at - other.at)
          .map(({ body, title }) => ({ title, body }))
      const told = (...expected: ReadonlyArray<Omit<Shown, "at">>) =>
        expect.poll(shown, { timeout: 30_000 }).toEqual(expected)
      // A tab that is looked at is enough.
      await lookAway(page, true)
      await write(bob, "While one tab is in sight")
      await second.getByText("1 unread message").waitFor({ state: "attached" })
      await lookAway(second, true)
      await write(bob, "A secret")
      const quiet = { title: "bob wrote", body: "" }
      await told(quiet)
      for (const tab of tabs) {
        await expect.poll(() => tab.title(), { timeout: 30_000 }).toMatch(/^\(2\) /)
        expect(await tab.locator("link[rel=icon]").getAttribute("href")).toBe("./icon-new.svg")
        expect((await seenBy(tab)).badge).toBe(2)
      }

      await goTo(page, "#/settings/notifications")
      await page.getByRole("switch", { name: "Show what was written" }).click()
      await goTo(page, "#/")
      await write(bob, "No secret")
      const loud = { title: "bob wrote", body: "No secret" }
      await told(quiet, loud)
      await startWith(mallory, "alice")
      await write(mallory, "Buy now")
      const request = { title: "Somebody wants to write to you", body: "" }
      await told(quiet, loud, request)

      await page.getByText("1 person wants to write to you").click()
      await button(page, "Block").click()
      await page.getByText("Nobody is waiting for an answer.").waitFor()
      await write(mallory, "Buy at once")
      await message(mallory, "Buy at once").getByText("Sent", { exact: true }).waitFor()
      await write(bob, "After mallory")
      await told(quiet, loud, request, { title: "bob wrote", body: "After mallory" })

      await lookAway(page, false)
      await goTo(page, "#/c/bob")
      await message(page, "After mallory").waitFor()
      await expect.poll(() => second.title(), { timeout: 30_000 }).not.toMatch(/^\(/)
      await expect.poll(async () => (await seenBy(page)).badge).toBe(0)
      expect(await textsOf(page)).toHaveLength(5)
    })
  },
  240_000
)
