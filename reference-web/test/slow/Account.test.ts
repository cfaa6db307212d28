/** Getting in, out, and back. */
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import {
  answerWords,
  button,
  dialog,
  goTo,
  hasChromium,
  heading,
  message,
  passphrase,
  restoreFrom,
  settleIn,
  shownWords,
  startWith,
  textsOf,
  unlock,
  useStage,
  write
} from "../kit/Journey.ts"

const list = (page: Page) => page.getByRole("link", { name: "New conversation" })

/** What this browser stores for the page. */
const stored = (page: Page) =>
  page.evaluate(async () => ({
    databases: (await indexedDB.databases()).map(({ name }) => name),
    keys: [...Object.keys(localStorage), ...Object.keys(sessionStorage)]
  }))

describe.skipIf(!hasChromium)(
  "an account in a browser",
  () => {
    const stage = useStage()

    it("marks the words that are wrong, shows them again, and goes on when all are right", async () => {
      const page = await stage.visit()
      await button(page, "Create an account").click()
      await page.getByLabel("Name").fill("gina")
      await page.getByText("gina@localhost is free.").waitFor()
      await button(page, "Continue").click()
      await button(page, "I have pen and paper").click()
      await button(page, "Show my words").click()
      const words = await shownWords(page)
      await button(page, "I wrote them down").click()
      await answerWords(
        page,
        words.map(() => "wrong")
      )
      expect(await page.getByText(/This is not word \d+\. Look at the paper again\./).count()).toBe(4)
      expect(
        await page
          .getByLabel(/^What is word/)
          .first()
          .getAttribute("aria-invalid")
      ).toBe("true")
      await button(page, "Look at the words again").click()
      await heading(page, "Your 24 words")
      if (await button(page, "Show my words").isVisible()) await button(page, "Show my words").click()
      expect(await shownWords(page)).toEqual(words)
      await button(page, "I wrote them down").click()
      await answerWords(page, words)
      await page.getByText("Keep the paper where you keep your passport.").waitFor()
      await button(page, "Continue").click()
      // Two that are not the same set nothing.
      await page.getByLabel("Passphrase", { exact: true }).fill(passphrase)
      await page.getByLabel("Repeat the passphrase").fill("something else altogether")
      await button(page, "Lock with this passphrase").click()
      await page.getByText("The two passphrases differ.").waitFor()
      await page.getByLabel("Repeat the passphrase").fill(passphrase)
      await button(page, "Lock with this passphrase").click()
      await heading(page, "You are gina.")
    })

    it("prints its words on one sheet, with nothing else of the page", async () => {
      const page = await stage.visit()
      // The paper is asked for below.
      await page.addInitScript(() => (globalThis.print = () => undefined))
      await page.reload()
      await button(page, "Create an account").click()
      await page.getByLabel("Name").fill("georg")
      await page.getByText("georg@localhost is free.").waitFor()
      await button(page, "Continue").click()
      await button(page, "Print them instead").click()
      await page.locator("kez-words-sheet").waitFor({ state: "attached" })
      // On the screen nobody sees them.
      expect(await page.locator("kez-words-sheet").isVisible()).toBe(false)
      await page.emulateMedia({ media: "print" })
      expect(await page.locator("kez-app").isVisible()).toBe(false)
      const lines = await page.locator("kez-words-sheet").locator("h1, dd, p").allInnerTexts()
      for (const said of ["georg@localhost", `${stage.home.urls.home}/`, "24 words of a chat account"])
        expect(lines).toContain(said)
      expect(lines.join()).toContain(new Date().getFullYear().toString())
      expect(lines.join()).not.toMatch(/ed25519|[0-9a-f]{16}/)
      const printed = await page.locator("kez-words-sheet li").allInnerTexts()
      const words = printed.map((line) => line.replace(/[^a-z]/g, ""))
      expect(printed.map((line) => /\d+/.exec(line)?.[0])).toEqual(words.map((_, index) => String(index + 1)))
      const paper = (await page.pdf({ format: "A4" })).toString("latin1")
      expect(paper.match(/\/Type\s*\/Page\b/g)).toHaveLength(1)
      // Once it is printed, it is gone.
      await page.locator("kez-words-sheet").waitFor({ state: "detached" })
      await page.emulateMedia({ media: null })
      await button(page, "Show my words").click()
      expect(await shownWords(page)).toEqual(words)
    })

    it("stays open over a reload, is locked by its owner, and opens with the right passphrase only", async () => {
      const page = await stage.visit()
      await settleIn(page, "hanna")
      await page.reload()
      await list(page).waitFor()
      await goTo(page, "#/settings")
      await button(page, "Lock now").click()
      await heading(page, "Welcome back, hanna.")
      await unlock(page, "not the passphrase")
      await page.getByText("This is not the passphrase. Try again, or use your words.").waitFor()
      await unlock(page)
      await heading(page, "Settings")
      await goTo(page, "#/")
      await list(page).waitFor()
    })

    it("is gone from the browser after logging out, and back with its words", async () => {
      const [page, other] = await Promise.all([stage.visit(), stage.visit()])
      const words = await settleIn(page, "irene")
      await settleIn(other, "jonas")
      await startWith(page, "jonas")
      await write(page, "From before")
      await message(page, "From before")
        .getByText(/^(?:Sent|Delivered)$/)
        .waitFor()
      await other.getByText("1 person wants to write to you").click()
      await button(other, "Accept").click()
      await write(other, "An answer")
      await message(page, "An answer").waitFor()

      await goTo(page, "#/settings/danger")
      await button(page, "Log out").click()
      await dialog(page).getByRole("button", { name: "Log out" }).click()
      await button(page, "Sign in with 24 words").waitFor()
      expect(await stored(page)).toEqual({ databases: [], keys: [] })

      await button(page, "Sign in with 24 words").click()
      await restoreFrom(page, words, "irene@localhost")
      await page.getByRole("link", { name: /jonas/ }).first().click()
      await message(page, "An answer").waitFor()
      expect(await textsOf(page)).toEqual(["From before", "An answer"])
      await write(page, "I am back")
      await message(other, "I am back").waitFor()
    })

    it("is deleted for good", async () => {
      const page = await stage.visit()
      await settleIn(page, "klara")
      await goTo(page, "#/settings/danger")
      await button(page, "Delete account").click()
      const confirmation = dialog(page)
      await confirmation.getByLabel("Type klara@localhost to confirm").fill("klaus")
      await confirmation.getByRole("button", { name: "Delete account" }).click()
      await confirmation.getByText("This is not the name.").waitFor()
      await confirmation.getByLabel("Type klara@localhost to confirm").fill("klara@localhost")
      await confirmation.getByRole("button", { name: "Delete account" }).click()
      await button(page, "Create an account").waitFor()
      expect(await stored(page)).toEqual({ databases: [], keys: [] })
      await button(page, "Create an account").click()
      await page.getByLabel("Name").fill("klara")
      await page.getByText(/klara@localhost is taken/).waitFor()
    })
  },
  240_000
)
