/** The main journeys of the page in one browser, with a person at a terminal beside it. */
import { writeFileSync } from "node:fs"
import { deepEqual, equal, ok } from "node:assert/strict"
import type { Home } from "../../../deploy/local/Home.ts"
import { as, type Machine } from "../../../reference-cli/test/kit/Program.ts"
import * as Shapes from "../../../reference-cli/test/kit/Shapes.ts"
import type { Driver } from "./Driver.ts"
import type { Front } from "./Front.ts"
import { key, Tab, until } from "./Tab.ts"

export interface Stage {
  readonly home: Home
  readonly front: Front
  readonly machine: Machine
  /** Starts the browser with a new profile. */
  start(): Promise<Driver>
  /** Folder of this browser's pictures. */
  readonly pictures: string
  /** Runs one step and notes what became of it. */
  step(name: string, run: () => Promise<void>): Promise<boolean>
}

const passphrase = "a passphrase of a test"

const lock = async (tab: Tab): Promise<void> => {
  await tab.fill("Passphrase", passphrase)
  await tab.fill("Repeat the passphrase", passphrase)
  await tab.press("button", "Lock with this passphrase")
}

export const journey = async (stage: Stage, name: string): Promise<void> => {
  const { front, home, machine, pictures } = stage
  const friend = `${name}-friend`
  const drivers: Array<Driver> = []
  const visit = async () => {
    const driver = await stage.start()
    drivers.push(driver)
    return { driver, tab: new Tab(driver, await driver.open()) }
  }
  const send = (text: string) => machine.json(Shapes.Sent, as(friend, "send", name, text))
  const write = async (tab: Tab, text: string) => {
    await tab.fill(composer, text)
    await tab.keys(key.enter)
  }
  const composer = `Message to ${friend}`
  const conversation = `#/c/${friend}`

  try {
    const { driver, tab } = await visit()
    const bounds = (text: string) => tab.ask("bounds", "message", new RegExp(text))
    /** Waits for this text, and unlocks where the browser keeps no key over a reload. */
    const enter = async (text: string) => {
      await until(`${text}, or to be asked`, async () => (await tab.sees("Unlock")) || (await tab.sees(text)))
      if (await tab.sees(text)) return
      await tab.fill("Passphrase", passphrase)
      await tab.press("button", "Unlock")
      await tab.see(text)
    }
    const step: Stage["step"] = (what, run) =>
      stage.step(what, async () => {
        try {
          await run()
        } catch (error) {
          await tab.capture(pictures, `failed-${what.replaceAll(" ", "-")}`).catch(() => undefined)
          throw error
        }
      })
    let count = 0
    const shoot = (what: string, of: Tab = tab) => of.shoot(pictures, `${String(++count).padStart(2, "0")}-${what}`)
    let words: ReadonlyArray<string> = []

    const isIn =
      (await step("landing", async () => {
        await tab.goto(front.url)
        await tab.see("Write to people you can be sure of.")
        await shoot("welcome")
      })) &&
      (await step("sign up", async () => {
        await tab.press("button", "Create an account")
        await tab.fill("Name", name)
        await tab.see(`${name}@localhost is free.`)
        await shoot("name")
        await tab.press("button", "Continue")
        await shoot("what-the-words-are")
        await tab.press("button", "I have pen and paper")
        await tab.press("button", "Show my words")
        await shoot("words")
        words = (await tab.texts("word")).map((text) => text.replace(/[\d.\s]/g, ""))
        equal(words.length, 24)
        await tab.press("button", "I wrote them down")
        await tab.see("Let us make sure the paper is right.")
        const asked = (await tab.texts("label")).filter((label) => /^What is word \d+\?$/.test(label))
        for (const label of asked) await tab.fill(label, words[Number(/\d+/.exec(label)?.[0]) - 1] ?? "")
        await shoot("check")
        await tab.press("button", "Check")
        await tab.press("button", "Continue")
        await shoot("passphrase")
        await lock(tab)
        await tab.see(`You are ${name}.`)
        await shoot("ready")
        await tab.press("button", "Go to my messages")
        await tab.see("New conversation")
        await shoot("empty-list")
      }))
    if (!isIn) return

    await step("reload", async () => {
      await tab.reload()
      await enter("New conversation")
    })

    await step("lock, unlock", async () => {
      await tab.follow("#/settings")
      await shoot("settings")
      await tab.press("button", "Lock now")
      await tab.see(`Welcome back, ${name}.`)
      await shoot("locked")
      await tab.fill("Passphrase", "not the passphrase")
      await tab.press("button", "Unlock")
      await tab.see("This is not the passphrase.")
      await tab.fill("Passphrase", passphrase)
      await tab.press("button", "Unlock")
      await tab.see("Lock now")
    })

    await step("write", async () => {
      await machine.register(friend)
      await tab.follow("#/new")
      await tab.fill("Handle", friend)
      await tab.press("button", "Look up")
      await tab.see(`Add ${friend}`)
      await shoot("found")
      await tab.press("button", `Add ${friend}`)
      await write(tab, "Hello from a page")
      await tab.message("Hello from a page", /Sent/)
      const { requests } = await machine.json(Shapes.Requests, as(friend, "requests"))
      deepEqual(
        requests[0]?.messages.map(({ text }) => text),
        ["Hello from a page"]
      )
    })

    await step("answer", async () => {
      await machine.json(Shapes.ContactResult, as(friend, "accept", name))
      await send("Hello from a terminal 👋")
      await tab.message("Hello from a terminal")
      await shoot("conversation")
    })

    await step("receipts", async () => {
      const stateOf = async (text: string) => {
        const { messages } = await machine.json(Shapes.History, as(friend, "history", name))
        return messages.find((message) => message.text === text)?.state
      }
      await write(tab, "Are you there?")
      await tab.message("Are you there?", /Sent/)
      const listening = machine.start(as(friend, "listen", "--json"))
      await tab.message("Are you there?", /Delivered/)
      await listening.kill("SIGINT")
      await until("the page's receipt", async () => (await stateOf("Hello from a terminal 👋")) === "delivered")

      // Read receipts are off until somebody turns them on.
      await machine.json(Shapes.Settings, as(friend, "settings", "--read-receipts", "on"))
      const reading = machine.onTerminal(as(friend, "history", name), {
        KEZ_PASSPHRASE_FILE: machine.path("passphrase")
      })
      equal(await reading.ended, 0, reading.text)
      await tab.message("Are you there?", /Read/)
      await tab.follow("#/settings/privacy")
      await tab.press("label", /^Tell others when I read their messages/)
      await tab.follow(conversation)
      await send("Read this")
      await tab.message("Read this")
      await until("the page's receipt", async () => (await stateOf("Read this")) === "read")
    })

    await step("page away", async () => {
      await tab.goto(front.elsewhere)
      await send("While you were away")
      await tab.goto(`${front.url}/${conversation}`)
      await enter("While you were away")
    })

    await step("broker away", async () => {
      await home.processes.nats.kill("SIGTERM")
      try {
        await tab.see("No connection.")
        await write(tab, "Written offline")
        await tab.message("Written offline", /Waiting/)
        await shoot("offline")
        await tab.reload()
        await enter("Written offline")
        await tab.message("Written offline", /Waiting/)
      } finally {
        await home.processes.nats.restart()
      }
      await tab.message("Written offline", /Sent/)
      await tab.seeNoMore("No connection.")
    })

    await step("second tab", async () => {
      const second = new Tab(driver, await driver.open())
      await second.goto(front.url)
      await second.see("New conversation")
      await second.follow(conversation)
      await second.message("While you were away")
      await write(second, "From the second tab")
      for (const each of [tab, second]) await each.message("From the second tab", /Sent/)
      deepEqual(await second.messages(), await tab.messages())
      await second.fill(composer, "A thought that is not")
      await tab.follow("#/")
      await tab.see("A thought that is not")
      await tab.follow(conversation)
      await until("the draft", async () => (await tab.ask("value", composer)) === "A thought that is not")
      await shoot("draft")
      await second.close()
      await tab.fill(composer, "")
    })

    await step("composer", async () => {
      await tab.fill(composer, "One")
      const height = async () => (await tab.ask("bounds", "field", composer))?.height ?? 0
      const before = await height()
      await tab.keys([key.shift, key.enter], ..."Two", [key.shift, key.enter], ..."Three")
      await until("the composer to grow", async () => (await height()) > before + 20)
      await shoot("composer")
      await tab.keys(key.enter)
      await tab.message("One Two Three")
      await until("the composer to shrink", async () => (await height()) === before)
    })

    await step("long history", async () => {
      const lines = Array.from({ length: 120 }, (_, index) => `Line ${index}.`)
      // A script may run for a minute.
      for (let sent = 0; sent < lines.length; sent += 20) await tab.ask("sendAll", friend, lines.slice(sent, sent + 20))
      await until("the newest message", async () => (await bounds("Line 119."))?.isInView)
      await tab.follow("#/")
      await tab.follow(conversation)
      await until("the newest message", async () => (await bounds("Line 119."))?.isInView)
      for (const target of ["Line 100.", "Line 70.", "Line 40.", "Line 10.", "Hello from a page"]) {
        await until(target, async () => {
          if ((await bounds(target))?.isInView) return true
          await tab.wheel(-500)
          return false
        })
        // What comes in above does not move what is read.
        const before = await bounds(target)
        await tab.evaluate("new Promise((resolve) => setTimeout(resolve, 700))")
        const after = await bounds(target)
        ok(
          Math.abs((after?.top ?? NaN) - (before?.top ?? NaN)) <= 1,
          `${target} moved: ${before?.top} -> ${after?.top}`
        )
      }
      const before = await bounds("Hello from a page")
      await send("News below")
      await tab.see("1 new message")
      equal((await bounds("Hello from a page"))?.top, before?.top)
      await shoot("scrolled-up")
      await tab.press("button", /1 new message/)
      await until("the newest message", async () => (await bounds("News below"))?.isInView)
    })

    await step("file", async () => {
      const plan = machine.path("the plan.txt")
      writeFileSync(plan, "First breakfast.")
      const shared = await machine.run(as(friend, "share", `@${name}`, plan))
      equal(shared.code, 0, shared.stderr)
      await tab.message("the plan.txt")
      await tab.see("Download requires CLI")
      await shoot("file")
      await tab.follow(`#/p/${friend}/files`)
      await tab.see(`kez-chat fetch '@${friend}/the plan.txt'`)
      await shoot("files")
    })

    await step("safety number", async () => {
      await tab.follow(`#/p/${friend}`)
      await tab.see("Safety number: not checked")
      await shoot("profile")
      await tab.press("link", "Compare safety numbers")
      const { safety_number } = await machine.json(Shapes.Verification, as(friend, "verify", name))
      await tab.see(safety_number)
      await shoot("safety-number")
      await tab.press("button", "They match")
      await tab.see("We will warn you if the key ever changes.")
    })

    await step("search", async () => {
      await tab.follow("#/search")
      await tab.fill("Search messages", "LINE 42")
      await tab.see("1 message found")
      await shoot("search")
      await tab.press("link", /Line 42\./)
      await until("what was found", async () => (await bounds("Line 42."))?.isInView)
      await shoot("found-in-history")
    })

    await step("dialog", async () => {
      await tab.follow("#/settings/danger")
      await tab.press("button", "Log out")
      await tab.see("Without your 24 words you cannot come back")
      await shoot("dialog")
      await tab.keys(key.escape)
      await until("it to close", async () => (await tab.texts("dialog")).length === 0)
    })

    await step("dark", async () => {
      await tab.follow("#/settings/appearance")
      await shoot("appearance")
      await tab.press("label", "Dark")
      await tab.follow(conversation)
      await tab.message("News below")
      await shoot("dark")
      await tab.follow(`#/p/${friend}`)
      await shoot("dark-profile")
    })

    await step("home away", async () => {
      front.isDown = true
      try {
        await tab.reload()
        await enter("New conversation")
      } finally {
        front.isDown = false
      }
    })

    await step("restore", async () => {
      const { tab: other } = await visit()
      await other.goto(front.url)
      await other.press("button", "Sign in with 24 words")
      await shoot("restore", other)
      for (const [index, word] of words.entries()) await other.fill(`Word ${index + 1}`, word)
      await shoot("restore-filled", other)
      await other.press("button", "Continue")
      await lock(other)
      await other.see(`${name}@localhost is back.`)
      await other.press("button", "Open my messages")
      await other.follow(conversation)
      await other.message("News below")
      await other.fill(composer, "From a new browser")
      await other.keys(key.enter)
      await tab.follow(conversation)
      await tab.message("From a new browser")
    })

    await step("log out", async () => {
      await tab.follow("#/settings/danger")
      await tab.press("button", "Log out")
      await tab.see("Without your 24 words you cannot come back")
      await tab.press("button", "Log out")
      await tab.see("Sign in with 24 words")
      // How the page looks is a choice of this browser, not of the account.
      deepEqual(await tab.ask("stored"), ["kez-chat/theme"])
    })
  } finally {
    for (const driver of drivers) await driver.quit()
    await stage.step("no errors", async () => deepEqual(front.problems(), []))
  }
}
