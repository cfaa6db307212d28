/** The broker is away while two people write. */
import { describe, expect, it } from "vitest"
import { button, hasChromium, message, settleIn, startWith, textsOf, useStage, write } from "../kit/Journey.ts"

describe.skipIf(!hasChromium)(
  "a broker that is away for a while",
  () => {
    const stage = useStage()

    it("gets what was written meanwhile once and in order when it is back", async () => {
      const [page, other] = await Promise.all([stage.visit(), stage.visit()])
      await settleIn(page, "rosa")
      await settleIn(other, "sven")
      await startWith(page, "sven")
      await write(page, "Hello, sven")
      await other.getByText("1 person wants to write to you").click()
      await button(other, "Accept").click()
      await message(other, "Hello, sven").waitFor()

      await stage.home.processes.nats.kill("SIGTERM")
      await page.getByText("No connection.").waitFor()
      const written = ["One", "Two", "Three", "Four"]
      for (const text of written) await write(page, text)
      await message(page, "Four").getByText("Waiting", { exact: true }).waitFor()
      // The tab may be closed and opened meanwhile.
      await page.reload()
      await message(page, "Four").getByText("Waiting", { exact: true }).waitFor()

      await stage.home.processes.nats.restart()
      await message(page, "Four").getByText("Delivered", { exact: true }).waitFor()
      await page.getByText("No connection.").waitFor({ state: "detached" })
      const all = ["Hello, sven", ...written]
      expect([await textsOf(page), await textsOf(other)]).toEqual([all, all])
    })
  },
  240_000
)
