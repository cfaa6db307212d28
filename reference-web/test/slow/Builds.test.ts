/** A newer build in a browser in which the older one is open, and a browser that reaches no server. */
import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { freePorts } from "../../../deploy/local/Ports.ts"
import { type Liar, startLiar } from "../../../reference-cli/test/kit/Liar.ts"
import {
  beginSignUp,
  button,
  finishSignUp,
  goTo,
  hasChromium,
  heading,
  message,
  settleIn,
  startWith,
  textsOf,
  unlock,
  useStage,
  write
} from "../kit/Journey.ts"
import { nextBuild } from "../kit/NextBuild.ts"

// The broker takes connections only of pages whose origin it was told of when it started.
const { home: port } = await freePorts()

const entryOf = (page: Page): Promise<string> =>
  page
    .locator("script[type=module][src]")
    .first()
    .evaluate((script) => (script as HTMLScriptElement).src)

const list = (page: Page) => page.getByRole("link", { name: "New conversation" })

describe.skipIf(!hasChromium)(
  "a build of the page",
  () => {
    const stage = useStage({ origins: [`http://127.0.0.1:${port}`] })
    let front: Liar
    beforeAll(async () => void (front = await startLiar(stage.home.urls.home, port)))
    afterAll(() => front?.close())

    it("lets a sign-up end that was begun before a newer one was opened", async () => {
      const page = await stage.visit({}, front.url)
      const words = await beginSignUp(page, "hilde")
      const old = await entryOf(page)
      front.edit(nextBuild())
      const newer = await page.context().newPage()
      await newer.goto(front.url)
      await heading(newer, "Write to people you can be sure of.")
      expect(await entryOf(newer)).not.toBe(old)
      await page.bringToFront()
      await finishSignUp(page, "hilde", words)
      expect(await entryOf(page)).toBe(old)
      await button(page, "Go to my messages").click()
      await list(page).waitFor()
      expect(await entryOf(page)).toBe(await entryOf(newer))
      front.edit(() => undefined)
    })

    it("opens and unlocks without a network, and gives way to a newer one without losing a draft", async () => {
      const [idle, other] = await Promise.all([stage.visit({}, front.url), stage.visit({}, front.url)])
      await Promise.all([settleIn(idle, "fritz"), settleIn(other, "gerta")])
      await startWith(idle, "gerta")
      await write(idle, "Kept for the journey")
      await message(idle, "Kept for the journey")
        .getByText(/^(?:Sent|Delivered)$/)
        .waitFor()
      await idle.evaluate(async () => void (await navigator.serviceWorker.ready))
      await goTo(idle, "#/settings")
      await button(idle, "Lock now").click()
      await heading(idle, "Welcome back, fritz.")

      const { chat, nats, sig } = stage.home.processes
      await Promise.all([chat.kill("SIGTERM"), nats.kill("SIGTERM"), sig.kill("SIGTERM")])
      const typing = await idle.context().newPage()
      await typing.goto(`${front.url}/#/c/gerta`)
      await unlock(typing)
      await message(typing, "Kept for the journey").waitFor()
      await typing.getByText("No connection.").waitFor()
      await write(typing, "Written without a network")
      await message(typing, "Written without a network").getByText("Waiting", { exact: true }).waitFor()

      // The server is back with a newer build.
      front.edit(nextBuild())
      await Promise.all([nats.restart(), sig.restart()])
      await chat.restart()
      await message(typing, "Written without a network")
        .getByText(/^(?:Sent|Delivered)$/)
        .waitFor()
      await typing.getByRole("textbox", { name: "Message to gerta" }).fill("A sentence that has no end yet")
      await goTo(idle, "#/")
      await idle.getByText("A sentence that has no end yet").waitFor()
      const old = await entryOf(idle)
      expect(await entryOf(typing)).toBe(old)

      const newer = await idle.context().newPage()
      await newer.goto(front.url)
      await list(newer).waitFor()
      expect(await entryOf(newer)).not.toBe(old)
      // Nobody types in the one, so it is there already.
      await expect.poll(() => entryOf(idle), { timeout: 30_000 }).toBe(await entryOf(newer))
      await list(idle).waitFor()
      await heading(typing, "A new version is ready.")
      expect(await entryOf(typing)).toBe(old)
      await button(typing, "Reload").click()
      const composer = typing.getByRole("textbox", { name: "Message to gerta" })
      await composer.waitFor()
      await expect.poll(() => composer.inputValue(), { timeout: 30_000 }).toBe("A sentence that has no end yet")
      await composer.press("Enter")
      await message(typing, "A sentence that has no end yet")
        .getByText(/^(?:Sent|Delivered)$/)
        .waitFor()
      expect(await textsOf(typing)).toEqual([
        "Kept for the journey",
        "Written without a network",
        "A sentence that has no end yet"
      ])
    })
  },
  240_000
)
