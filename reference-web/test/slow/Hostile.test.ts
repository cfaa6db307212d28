/** Texts that want to be more than text, on a small phone. */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Listing } from "@kez-chat/sdk/promise"
import { describe, expect, it } from "vitest"
import { as } from "../../../reference-cli/test/kit/Program.ts"
import * as Shapes from "../../../reference-cli/test/kit/Shapes.ts"
import {
  button,
  goTo,
  hasChromium,
  message,
  sendAll,
  settleIn,
  startWith,
  textsOf,
  useStage,
  write
} from "../kit/Journey.ts"
import { useTerminals } from "../kit/Terminals.ts"

const hostile = [
  `<img src=x onerror="globalThis.harm=1"><script>globalThis.harm=1</script>`,
  `[a link](javascript:globalThis.harm=1) javascript:globalThis.harm=1 https://example.org/"onmouseover="globalThis.harm=1`,
  "\u202Etxt.exe \u2066\u2067 \u200Fאבג 123",
  `Z${"\u0301\u0489".repeat(200)}`,
  `\u0301\u0300\u20dd\u200d\ufe0f`,
  Array.from({ length: 2_000 }, (_, index) => `http://a.b/${index}`).join(" "),
  `{{constructor.constructor("globalThis.harm=1")()}} \${globalThis.harm=1}`,
  // As long as a message can be.
  "W".repeat(40_800)
]

/** What a file system accepts, and no reader expects. */
const fileNames = [
  "plain.txt",
  "it's; touch harm #.txt",
  "$(touch harm)`touch harm`.txt",
  "--help",
  "~root",
  "*?[a-z]",
  "first\nsecond.txt",
  "\u001b[201~reboot",
  "\u202etxt.exe",
  "a\u200bb.txt",
  `<img src=x onerror="globalThis.harm=1">`,
  "n".repeat(255),
  "$(reboot)/inside.txt"
]

/** What is not seen, or puts what is seen in another place. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

describe.skipIf(!hasChromium)(
  "a message",
  () => {
    const stage = useStage()
    const terminals = useTerminals(() => stage.home.urls.home)

    it("stays text, and the page as wide as the phone", async () => {
      const [page, other] = await Promise.all([stage.visit({ viewport: { width: 320, height: 640 } }), stage.visit()])
      await settleIn(page, "vera")
      await settleIn(other, "willi")
      await startWith(other, "vera")
      await write(other, hostile[0]!)
      await page.getByText("1 person wants to write to you").click()
      await button(page, "Accept").click()
      // One at a time: the list draws only the messages near what is seen, and two of these fill many screens.
      for (const [index, text] of hostile.entries()) {
        if (index > 0) await sendAll(other, "vera", [text])
        await expect.poll(async () => (await textsOf(page)).at(-1), { timeout: 30_000 }).toBe(text)
      }
      for (const screen of [
        "#/c/willi",
        "#/",
        "#/search?q=globalThis",
        "#/p/willi",
        "#/p/willi/safety",
        "#/settings"
      ]) {
        await goTo(page, screen)
        await page.getByRole("heading", { level: 1 }).first().waitFor()
        if (screen.includes("search")) await page.getByText("3 messages found").waitFor()
        const widths = await page.evaluate(() => {
          const wide: Array<string> = []
          const look = (root: Document | ShadowRoot): void => {
            for (const element of root.querySelectorAll("*")) {
              if (element.shadowRoot !== null) look(element.shadowRoot)
              const { height, right, width } = element.getBoundingClientRect()
              // A line that is cut off with an ellipsis is longer than what is seen of it.
              const isSeen = width > 1 && height > 1 && getComputedStyle(element).display !== "inline"
              if (isSeen && right > innerWidth + 1) wide.push(`${element.localName}.${element.className} to ${right}`)
            }
          }
          look(document)
          return { page: document.documentElement.scrollWidth, wide: wide.slice(0, 5) }
        })
        expect(widths, screen).toEqual({ page: 320, wide: [] })
      }
      expect(await page.evaluate(() => Reflect.get(globalThis, "harm"))).toBeUndefined()
    })

    it("names files that a person may copy to a shell", async () => {
      const { machine } = terminals
      const page = await stage.visit()
      await Promise.all([settleIn(page, "xaver"), machine.register("yvonne")])
      await startWith(page, "yvonne")
      await write(page, "Show me what you have")
      await message(page, "Show me what you have").getByText("Sent", { exact: true }).waitFor()
      await machine.json(Shapes.ContactResult, as("yvonne", "accept", "xaver"))
      mkdirSync(machine.path("files", "$(reboot)"), { recursive: true })
      const paths = fileNames.map((name) => machine.path("files", name))
      for (const path of paths) writeFileSync(path, path)
      const shared = await machine.run(as("yvonne", "share", "@xaver", machine.path("files")))
      expect(shared.code, shared.stderr).toBe(0)

      await goTo(page, "#/p/yvonne/files")
      const rows = page.locator("kez-file-list li")
      await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(fileNames.length)
      for (const name of await rows.locator(".name bdi").allTextContents()) expect(name).not.toMatch(invisible)
      const commands = await page
        .locator("kez-copy")
        .evaluateAll((all) => all.map((element): string => Reflect.get(element, "text")))
      expect(commands).toHaveLength(fileNames.length)
      const { files } = await page
        .locator("kez-file-list")
        .evaluate((element): Pick<Listing, "files"> => Reflect.get(element, "listing"))
      const programs = machine.path("programs")
      mkdirSync(programs)
      const program = `#!/bin/sh\nprintf '%s\\n' "$#" "$@"\n`
      writeFileSync(join(programs, "kez-chat"), program, { mode: 0o755 })
      for (const command of commands) {
        expect(command).not.toMatch(invisible)
        expect(Buffer.byteLength(command)).toBeLessThan(350)
        // What the shell hands to the program: one argument, and nothing else is done.
        const printed = execFileSync("/bin/sh", ["-c", command], { env: { PATH: programs }, encoding: "utf8" })
        const [count, verb, entry, ...rest] = printed.split("\n")
        expect([count, verb, rest]).toEqual(["2", "fetch", [""]])
        expect(entry).toMatch(/^@yvonne\/./)
        // The program knows the file by it.
        expect(
          files.some((file) => [file.id, [file.folder, file.name].join("/")].includes(entry!.slice("@yvonne/".length)))
        ).toBe(true)
      }
      expect(await page.evaluate(() => Reflect.get(globalThis, "harm"))).toBeUndefined()
    })
  },
  240_000
)
