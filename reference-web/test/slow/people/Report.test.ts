/** Reporting somebody, as both sides and the operator see it. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { bundled } from "../../../../deploy/local/Bundles.ts"
import { button, dialog, goTo, hasChromium, message, settleIn, startWith, useStage, write } from "../../kit/Journey.ts"

describe.skipIf(!hasChromium)(
  "a report",
  () => {
    const stage = useStage()

    const admin = async (...args: ReadonlyArray<string>): Promise<string> => {
      const program = await bundled("chat-server")
      const run = promisify(execFile)(process.execPath, [program, "admin", ...args])
      return (await run).stdout
    }

    it("shows the operator the chosen message, and who is suspended is told so", async () => {
      const [page, other] = await Promise.all([stage.visit(), stage.visit()])
      await Promise.all([settleIn(page, "rosa"), settleIn(other, "sven")])
      await startWith(other, "rosa")
      await write(other, "Buy gold today")
      await write(other, "A second message")
      await goTo(page, "#/c/sven")
      await message(page, "A second message").waitFor()

      await message(page, "Buy gold today")
        .getByRole("button", { name: /Details|\d/ })
        .first()
        .click()
      await message(page, "Buy gold today").getByRole("button", { name: "Report" }).click()
      await dialog(page).getByLabel("Spam or advertising").check()
      await dialog(page).getByLabel("Anything that the operator should know (optional)").fill("every day")
      await dialog(page).getByLabel("Also block sven").check()
      await button(page, "Send the report").click()
      await page.getByText("The operator has your report.").waitFor()
      await dialog(page).getByText("Close", { exact: true }).click()
      await page.getByRole("main").getByText("You blocked sven.").first().waitFor()

      const db = ["--db", join(stage.home.data, "chat.sqlite")]
      const list = await admin("report", "list", ...db)
      expect(list).toMatch(/sven by rosa: spam, 1 messages every day/)
      const shown = await admin("report", "show", list.split(" ")[0] ?? "", ...db)
      expect(shown).toContain("Buy gold today")
      expect(shown).not.toContain("A second message")

      const server = ["--keys-dir", join(stage.home.data, "keys"), "--internal-port", String(stage.home.ports.internal)]
      await admin("suspend", "sven", ...db, ...server)
      await other.getByText("The operator of your server has suspended this account.").waitFor()
    })
  },
  240_000
)
