/** Somebody in a browser and somebody at a terminal. */
import { readFileSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { as } from "../../../reference-cli/test/kit/Program.ts"
import * as Shapes from "../../../reference-cli/test/kit/Shapes.ts"
import {
  button,
  goTo,
  hasChromium,
  message,
  restoreFrom,
  settleIn,
  startWith,
  textsOf,
  unlock,
  useStage,
  write
} from "../kit/Journey.ts"
import { useTerminals } from "../kit/Terminals.ts"

describe.skipIf(!hasChromium)(
  "a person in a browser and one at a terminal",
  () => {
    const stage = useStage()
    const terminals = useTerminals(() => stage.home.urls.home)

    const send = (from: string, to: string, text: string) =>
      terminals.machine.json(Shapes.Sent, as(from, "send", to, text))
    const historyOf = async (name: string, who: string) =>
      (await terminals.machine.json(Shapes.History, as(name, "history", who))).messages.map(({ text }) => text)

    it("write in both directions, also while the other one is away", async () => {
      const { machine } = terminals
      const page = await stage.visit()
      await Promise.all([settleIn(page, "wanda"), machine.register("carl")])
      await startWith(page, "carl")
      await write(page, "Hello, carl")
      await message(page, "Hello, carl").getByText("Sent", { exact: true }).waitFor()

      const { requests } = await machine.json(Shapes.Requests, as("carl", "requests"))
      expect(requests.map(({ messages }) => messages.map(({ text }) => text))).toEqual([["Hello, carl"]])
      await machine.json(Shapes.ContactResult, as("carl", "accept", "wanda"))
      await send("carl", "wanda", "Hello, wanda")
      await message(page, "Hello, wanda").waitFor()

      // The terminal is closed: the server keeps it until it is opened.
      await write(page, "Are you there?")
      await message(page, "Are you there?").getByText("Sent", { exact: true }).waitFor()
      const listening = machine.start(as("carl", "listen", "--json"))
      await listening.event(
        Shapes.Event,
        (event) => event.event === "message" && event.message.text === "Are you there?"
      )
      await message(page, "Are you there?")
        .getByText(/Delivered|Read/)
        .waitFor()
      await listening.kill("SIGINT")

      // The page is closed; its browser may keep the account open for a while.
      const context = page.context()
      await page.close()
      await send("carl", "wanda", "I am, and you?")
      const again = await context.newPage()
      await again.goto(`${stage.home.urls.home}/#/c/carl`)
      const locked = again.getByLabel("Passphrase", { exact: true })
      await locked.or(again.locator("kez-conversation")).first().waitFor()
      if (await locked.isVisible()) await unlock(again)
      await message(again, "I am, and you?").waitFor()
      const texts = ["Hello, carl", "Hello, wanda", "Are you there?", "I am, and you?"]
      expect(await textsOf(again)).toEqual(texts)
      expect(await historyOf("carl", "wanda")).toEqual(texts)
    })

    it("accept a request in the page, and show nothing more of who is blocked", async () => {
      const { machine } = terminals
      const page = await stage.visit()
      await Promise.all([settleIn(page, "xenia"), machine.registerPair("dora", "emil")])
      await machine.json(Shapes.ContactResult, as("dora", "add", "xenia"))
      await send("dora", "xenia", "May I write to you?")
      await page.getByText("1 person wants to write to you").click()
      await button(page, "Accept").click()
      await message(page, "May I write to you?").waitFor()
      await write(page, "You may")
      await message(page, "You may").getByText("Sent", { exact: true }).waitFor()
      expect(await historyOf("dora", "xenia")).toEqual(["May I write to you?", "You may"])

      await goTo(page, "#/p/dora")
      await button(page, "Block").click()
      await page.getByText("You blocked dora.").first().waitFor()
      await goTo(page, "#/c/dora")
      await page.getByText("You blocked dora. Nothing that they send is shown").waitFor()
      await send("dora", "xenia", "Why don't you answer?")
      await machine.json(Shapes.ContactResult, as("emil", "add", "xenia"))
      await send("emil", "xenia", "A word about dora")
      // What came after it is here.
      await page.getByText("1 person wants to write to you").waitFor()
      expect(await textsOf(page)).toEqual(["May I write to you?", "You may"])
      await page.getByRole("main").getByRole("button", { name: "Unblock" }).click()
      await page.getByRole("textbox", { name: "Message to dora" }).waitFor()
      await send("dora", "xenia", "Again?")
      await message(page, "Again?").waitFor()
      expect(await textsOf(page)).not.toContain("Why don't you answer?")
    })

    it("see a shared file with the command that downloads it", async () => {
      const { machine } = terminals
      const page = await stage.visit()
      await Promise.all([settleIn(page, "yara"), machine.register("fred")])
      await startWith(page, "fred")
      await write(page, "Send me the plan")
      await message(page, "Send me the plan").getByText("Sent", { exact: true }).waitFor()
      await machine.json(Shapes.ContactResult, as("fred", "accept", "yara"))
      const plan = machine.path("the plan.txt")
      writeFileSync(plan, "First breakfast.")
      const shared = await machine.run(as("fred", "share", "@yara", plan))
      expect(shared.code, shared.stderr).toBe(0)

      const offer = message(page, "the plan.txt")
      await offer.getByText("Download requires CLI").waitFor()
      await offer.getByText(/kez-chat fetch \S+/).waitFor()
      await goTo(page, "#/p/fred")
      await page.getByRole("link", { name: "Files that fred shares with you" }).click()
      await page.getByText("the plan.txt", { exact: true }).waitFor()
      await page.getByText("kez-chat fetch '@fred/the plan.txt'").waitFor()
    })

    it("are one person who moves into a page and back with all that was said", async () => {
      const { machine } = terminals
      await machine.registerPair("greta", "hugo")
      const verified = await machine.json(Shapes.Verification, as("greta", "verify", "hugo", "--confirm"))
      expect(verified.contact.verified).toBe(true)
      await send("greta", "hugo", "From the terminal")
      await send("hugo", "greta", "An answer to the terminal")
      await send("greta", "greta", "A note from the terminal")
      expect(await historyOf("greta", "hugo")).toEqual(["From the terminal", "An answer to the terminal"])
      const words = readFileSync(machine.path("greta.words"), "utf8").match(/[a-z]+/g) ?? []
      expect(words).toHaveLength(24)

      const page = await stage.visit()
      await button(page, "Sign in with 24 words").click()
      await restoreFrom(page, words, "greta@localhost")
      await page.getByRole("link", { name: /^hugo/ }).first().click()
      await message(page, "An answer to the terminal").waitFor()
      // A mark says what this device's user compared; nothing carries it to another one.
      expect(await page.getByText("Key checked").count()).toBe(0)
      await write(page, "From the page")
      await message(page, "From the page").getByText("Sent", { exact: true }).waitFor()
      await send("hugo", "greta", "An answer to the page")
      await message(page, "An answer to the page").waitFor()
      const texts = ["From the terminal", "An answer to the terminal", "From the page", "An answer to the page"]
      expect(await textsOf(page)).toEqual(texts)
      await goTo(page, "#/c/greta@localhost")
      await message(page, "A note from the terminal").waitFor()
      await write(page, "A note from the page")
      await message(page, "A note from the page").getByText("Sent", { exact: true }).waitFor()
      const notes = ["A note from the terminal", "A note from the page"]
      expect(await textsOf(page)).toEqual(notes)

      const restore = as("greta-again", "restore", "--words-file", machine.path("greta.words"))
      const account = await machine.json(Shapes.Account, restore)
      expect(account.handle).toBe("greta@localhost")
      const { contacts } = await machine.json(Shapes.Contacts, as("greta-again", "contacts"))
      expect(contacts.map(({ handle, state, verified }) => [handle, state, verified])).toEqual([
        ["hugo@localhost", "accepted", false]
      ])
      // The terminal that wrote first has it all too.
      for (const profile of ["greta-again", "greta"]) {
        expect(await historyOf(profile, "hugo")).toEqual(texts)
        expect(await historyOf(profile, "greta")).toEqual(notes)
      }
      // In the order of arrival, and this terminal fetched nothing before it answered.
      expect((await historyOf("hugo", "greta")).toSorted()).toEqual(texts.toSorted())
    })

    it("miss nothing while the one's computer sleeps", async () => {
      const { machine } = terminals
      const page = await stage.visit()
      await Promise.all([settleIn(page, "ilse"), machine.register("jens")])
      await startWith(page, "jens")
      await write(page, "Good night")
      await message(page, "Good night").getByText("Sent", { exact: true }).waitFor()
      await machine.json(Shapes.ContactResult, as("jens", "accept", "ilse"))
      const debug = await stage.browser.newBrowserCDPSession()
      const { processInfo } = await debug.send("SystemInfo.getProcessInfo")
      const signal = (name: NodeJS.Signals) => processInfo.forEach(({ id }) => process.kill(id, name))
      signal("SIGSTOP")
      try {
        await send("jens", "ilse", "Are you asleep?")
        // The broker gives connections up that answer no more.
        await stage.home.processes.nats.restart()
        await send("jens", "ilse", "You are asleep.")
      } finally {
        signal("SIGCONT")
      }
      await message(page, "You are asleep.").waitFor()
      await write(page, "Good morning")
      await message(page, "Good morning").getByText("Sent", { exact: true }).waitFor()
      const texts = ["Good night", "Are you asleep?", "You are asleep.", "Good morning"]
      expect(await textsOf(page)).toEqual(texts)
      expect(await historyOf("jens", "ilse")).toEqual(texts)
    })
  },
  240_000
)
