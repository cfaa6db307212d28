/** A home server that names another key for a contact, and what the page lets its user do about it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { freePorts } from "../../../../deploy/local/Ports.ts"
import { impostor, type Liar, startLiar } from "../../../../reference-cli/test/kit/Liar.ts"
import { as } from "../../../../reference-cli/test/kit/Program.ts"
import * as Shapes from "../../../../reference-cli/test/kit/Shapes.ts"
import { button, goTo, hasChromium, heading, message, settleIn, startWith, useStage, write } from "../../kit/Journey.ts"
import { useTerminals } from "../../kit/Terminals.ts"

// The broker takes connections only of pages whose origin it was told of when it started.
const { home: port } = await freePorts()

describe.skipIf(!hasChromium)(
  "a contact's key that the home server swapped",
  () => {
    const stage = useStage({ origins: [`http://127.0.0.1:${port}`] })
    const terminals = useTerminals(() => stage.home.urls.home)
    let liar: Liar
    beforeAll(async () => void (liar = await startLiar(stage.home.urls.home, port)))
    afterAll(() => liar?.close())

    it("stops sending until the old key is kept, or the new one taken", async () => {
      const { machine } = terminals
      const page = await stage.visit({}, liar.url)
      await Promise.all([settleIn(page, "nele"), machine.register("ole"), machine.register("pia")])
      const composer = page.getByRole("textbox", { name: /^Message to/ })
      for (const name of ["pia", "ole"]) {
        await startWith(page, name)
        await write(page, `Hello, ${name}`)
        await message(page, `Hello, ${name}`)
          .getByText(/^(?:Sent|Delivered)$/)
          .waitFor()
        liar.lie(name, await impostor(name, stage.home.urls.sigServer))
      }

      await goTo(page, "#/p/ole/safety")
      await page.getByText("ole’s key is not the one you knew.").waitFor()
      await heading(page, "The new key, as localhost names it")
      await heading(page, "The key you knew")
      const numbers = await page
        .locator("kez-safety-number")
        .evaluateAll((all) => all.map((element) => Reflect.get(element, "number")))
      expect(numbers).toHaveLength(2)
      expect(numbers[0]).not.toBe(numbers[1])
      await goTo(page, "#/c/ole")
      await page.getByRole("main").getByText("Nothing signed by ole explains this.").waitFor()
      expect(await composer.count()).toBe(0)
      await page.getByRole("main").getByRole("button", { name: "Compare the new number" }).click()
      await button(page, "Keep the old key").click()
      await page.getByText("You keep the key you knew").first().waitFor()
      await goTo(page, "#/c/ole")
      await write(page, "For ole alone")
      await message(page, "For ole alone")
        .getByText(/^(?:Sent|Delivered)$/)
        .waitFor()
      const { requests } = await machine.json(Shapes.Requests, as("ole", "requests"))
      expect(requests.flatMap(({ messages }) => messages.map(({ text }) => text))).toEqual([
        "Hello, ole",
        "For ole alone"
      ])

      await goTo(page, "#/p/pia/safety")
      await heading(page, "The new key, as localhost names it")
      await goTo(page, "#/c/pia")
      const main = page.getByRole("main")
      await main.getByText("Key changed").waitFor()
      await main.getByRole("button", { name: "pia told me, continue" }).click()
      await composer.waitFor()
      await main.getByText("Key changed").waitFor({ state: "detached" })
      // What was said before stays.
      await message(page, "Hello, pia").waitFor()
    })
  },
  240_000
)
