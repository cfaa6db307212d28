/** A new key for an account in a browser: its other browser, its contact, and what was said before. */
import { describe, expect, it } from "vitest"
import {
  answerWords,
  button,
  dialog,
  goTo,
  hasChromium,
  message,
  passphrase,
  restoreFrom,
  settleIn,
  shownWords,
  startWith,
  unlock,
  useStage,
  write
} from "../../kit/Journey.ts"

describe.skipIf(!hasChromium)(
  "a new key",
  () => {
    const stage = useStage()

    it("keeps name and history, and goes on with the new words, here, elsewhere and with a contact", async () => {
      const [anna, second, bert] = await Promise.all([stage.visit(), stage.visit(), stage.visit()])
      const [oldWords] = await Promise.all([settleIn(anna, "anna"), settleIn(bert, "bert")])
      await startWith(bert, "anna")
      await write(bert, "Before")
      await goTo(anna, "#/requests")
      await button(anna, "Accept").click()
      await message(anna, "Before").waitFor()
      await button(second, "Sign in with 24 words").click()
      await restoreFrom(second, oldWords, "anna@localhost")

      await goTo(anna, "#/settings/rotate")
      await button(anna, "Make new words").click()
      await button(anna, "Show my words").click()
      const newWords = await shownWords(anna)
      expect(newWords).toHaveLength(24)
      await button(anna, "I wrote them down").click()
      await answerWords(anna, newWords)
      await button(anna, "Continue").click()
      await dialog(anna).getByLabel("Passphrase", { exact: true }).fill("not the passphrase")
      await dialog(anna).getByRole("button", { name: "Continue" }).click()
      await anna.getByText("This is not the passphrase.").waitFor()
      await dialog(anna).getByLabel("Passphrase", { exact: true }).fill(passphrase)
      await dialog(anna).getByRole("button", { name: "Continue" }).click()
      await anna.getByText("Your account has its new key.").waitFor()

      // The contact is shown where the new key comes from, and confirms it.
      await goTo(bert, "#/p/anna")
      await goTo(bert, "#/c/anna")
      const main = bert.getByRole("main")
      await main.getByText("anna’s old key signed this.").waitFor()
      await main.getByRole("button", { name: "Use the new key" }).click()
      await main.getByText("anna’s old key signed this.").waitFor({ state: "detached" })
      await message(bert, "Before").waitFor()
      await write(bert, "After")
      await message(bert, "After")
        .getByText(/^(?:Sent|Delivered)$/)
        .waitFor()
      await goTo(anna, "#/c/bert")
      await message(anna, "After").waitFor()
      await message(anna, "Before").waitFor()

      // The store opens with the new key after a reload, and the words are the new ones.
      await anna.evaluate(() => sessionStorage.clear())
      await goTo(anna, "#/settings")
      await button(anna, "Lock now").click()
      await unlock(anna)
      await goTo(anna, "#/c/bert")
      await message(anna, "After").waitFor()
      await message(anna, "Before").waitFor()
      await goTo(anna, "#/settings/words")
      await button(anna, "Show them").click()
      await dialog(anna).getByLabel("Passphrase", { exact: true }).fill(passphrase)
      await dialog(anna).getByRole("button", { name: "Continue" }).click()
      const first = anna.locator("kez-words-grid ol li").first()
      expect((await first.textContent())?.replace(/[\d.\s]/g, "")).toBe(newWords[0])

      // The other browser of the account reads until it has the new words.
      await second.getByRole("status").getByRole("link", { name: "Enter the new words" }).click()
      await second.getByText("Your account has a new key. This browser still has").waitFor()
      await button(second, "Enter the new words").click()
      await second.getByLabel("Word 1", { exact: true }).fill(newWords.join(" "))
      await button(second, "Continue").click()
      await dialog(second).getByLabel("Passphrase", { exact: true }).fill(passphrase)
      await dialog(second).getByRole("button", { name: "Continue" }).click()
      await second.getByText("Your account has a new key.").first().waitFor({ state: "detached" })
      // Who is accepted is not told to other browsers.
      await goTo(second, "#/requests")
      await button(second, "Accept").click()
      await message(second, "After").waitFor()
      await write(second, "From the second")
      await message(bert, "From the second").waitFor()
    })
  },
  300_000
)
