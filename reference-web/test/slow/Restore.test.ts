/** A long history, back in a new browser. The time it takes is measured by the bench. */
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import { friend, makeScribe, noLimits, owner, textOf, wordsOf, writeHistory } from "../kit/History.ts"
import { button, goTo, hasChromium, heading, message, passphrase, unlock, useStage } from "../kit/Journey.ts"

const long = 10_000
const conversations = 3

/** The texts of a whole conversation by `history`, newest page first, as the page would ask for them. */
const historyOf = (page: Page, who: string): Promise<ReadonlyArray<string>> =>
  page.evaluate(async (name) => {
    const { client } = (document.querySelector("kez-app") as HTMLElement & { readonly account: WebAccount }).account
    const texts: Array<string> = []
    let before: number | undefined
    for (;;) {
      const found = await client.history(name, { limit: 1_000, ...(before === undefined ? {} : { before }) })
      if (found.length === 0) return texts
      texts.unshift(...found.map(({ text }) => text))
      before = found[0]!.order
    }
  }, who)

describe.skipIf(!hasChromium)(
  "an account with a long history",
  () => {
    const stage = useStage({ flags: noLimits })

    it("comes back whole from its words, also when the page is reloaded meanwhile", async () => {
      const scribe = await makeScribe(stage.home, join(stage.home.data, "clients"))
      const messages = await writeHistory(scribe, { conversations, long }).finally(() => scribe.close())
      const page = await stage.visit()
      await button(page, "Sign in with 24 words").click()
      await page.getByLabel("Word 1", { exact: true }).fill(wordsOf(owner))
      await button(page, "Continue").click()
      await page.getByLabel("Passphrase", { exact: true }).fill(passphrase)
      await page.getByLabel("Repeat the passphrase").fill(passphrase)
      await button(page, "Lock with this passphrase").click()
      await heading(page, "olivia@localhost is back.")

      const said = page.getByText(/^Bringing back messages: [\d,]+ of [\d,]+$/)
      const [taken, of] = (await said.innerText()).replaceAll(",", "").match(/\d+/g)!.map(Number)
      expect(of).toBe(messages)
      expect(taken).toBeLessThan(messages)

      await page.reload()
      const list = page.getByRole("link", { name: "New conversation" })
      await list
        .or(page.getByLabel("Passphrase", { exact: true }))
        .first()
        .waitFor()
      if (!(await list.isVisible())) await unlock(page)
      await list.waitFor()
      await page.evaluate(async () => {
        const { client } = (document.querySelector("kez-app") as HTMLElement & { readonly account: WebAccount }).account
        await client.sync()
      })
      await page.getByText(/^Bringing back/).waitFor({ state: "detached" })

      const all = Array.from({ length: long }, (_, index) => textOf(index + 1))
      expect(await historyOf(page, friend.handle)).toEqual(all)
      expect(await historyOf(page, "person2")).toHaveLength((messages - long) / (conversations - 1))
      // Newest conversation first, with its newest message.
      const first = page.locator("kez-conversation-list a").first()
      await first.getByText(friend.handle, { exact: true }).waitFor()
      await first.getByText(`Number ${long}.`).waitFor()

      await first.click()
      await message(page, `Number ${long}.`).waitFor()
      const oldest = await page.evaluate(async (name) => {
        const { client } = (document.querySelector("kez-app") as HTMLElement & { readonly account: WebAccount }).account
        return (await client.history(name, { after: 0, limit: 1 }))[0]!.order
      }, friend.handle)
      await goTo(page, `#/c/${friend.handle}/m/${oldest}`)
      await message(page, "Number 1.").waitFor()
    })
  },
  240_000
)
