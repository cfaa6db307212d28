/** Whole screens under axe, in light and dark. */
import { describe, it } from "vitest"
import { accessible } from "../kit/Accessible.ts"
import {
  answerWords,
  button,
  goTo,
  hasChromium,
  heading,
  message,
  passphrase,
  settleIn,
  shownWords,
  startWith,
  useStage,
  write
} from "../kit/Journey.ts"

describe.skipIf(!hasChromium)(
  "every screen",
  () => {
    const stage = useStage()

    it("of signing up is accessible", async () => {
      const page = await stage.visit()
      await button(page, "Create an account").waitFor()
      await accessible(page)
      await button(page, "Create an account").click()
      await page.getByLabel("Name").fill("zoe")
      await page.getByText("zoe@localhost is free.").waitFor()
      await accessible(page)
      await button(page, "Continue").click()
      await button(page, "I have pen and paper").click()
      await button(page, "Show my words").click()
      await accessible(page)
      const words = await shownWords(page)
      await button(page, "I wrote them down").click()
      await accessible(page)
      await answerWords(page, words)
      await button(page, "Continue").click()
      await accessible(page)
      await page.getByLabel("Passphrase", { exact: true }).fill(passphrase)
      await page.getByLabel("Repeat the passphrase").fill(passphrase)
      await button(page, "Lock with this passphrase").click()
      await heading(page, "You are zoe.")
      await accessible(page)
    })

    it("of an open account is accessible", async () => {
      const [page, other] = await Promise.all([stage.visit(), stage.visit()])
      await settleIn(page, "anton")
      await settleIn(other, "berta")
      await accessible(page)
      await startWith(other, "anton")
      await write(other, "Hello, anton: https://localhost/ *and* `code`")
      await page.getByText("1 person wants to write to you").click()
      await heading(page, "Requests")
      await accessible(page)
      await button(page, "Accept").click()
      await message(page, "Hello, anton").waitFor()
      await write(page, "Hello, berta")
      await message(page, "Hello, berta")
        .getByText(/^(?:Sent|Delivered)$/)
        .waitFor()
      await accessible(page)
      for (const hash of [
        "#/new",
        "#/search?q=Hello",
        "#/p/berta",
        "#/p/berta/safety",
        "#/p/berta/files",
        "#/p/anton@localhost",
        "#/about-protection",
        "#/settings",
        ...[
          "account",
          "privacy",
          "notifications",
          "appearance",
          "storage",
          "words",
          "export",
          "keys",
          "about",
          "danger"
        ].map((part) => `#/settings/${part}`)
      ]) {
        await goTo(page, hash)
        await page.getByRole("main").getByRole("heading", { level: 1 }).first().waitFor()
        await accessible(page)
      }
      await goTo(page, "#/settings")
      await button(page, "Lock now").click()
      await heading(page, "Welcome back, anton.")
      await accessible(page)
    })
  },
  240_000
)
