/** The pages for operators: every command is run by a test or marked as not run, and has the flags that it is given. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { root } from "../../tasks/paths.mjs"
import { blocksOf, pages } from "../kits/Pages.ts"
import { helpOf, namesOf } from "../kits/Programs.ts"

/** Commands that are run, and the test that runs them. */
const run: ReadonlyArray<readonly [RegExp, string]> = [
  [/kez-chat-server init .*--nats-includes/, "deploy/test/slow/OwnNats.test.ts"],
  [/kez-chat-server init .*keys\.new/, "deploy/test/slow/CaddyHome.test.ts"],
  [/kez-chat-server init/, "deploy/test/slow/CaddyHome.test.ts"],
  [/kez-chat-server (?:doctor|backup|restore)/, "deploy/test/slow/CaddyHome.test.ts"],
  [/kez-chat-server admin list/, "deploy/test/slow/CaddyHome.test.ts"],
  [/^curl -sS \S+healthz$/, "deploy/test/slow/CaddyHome.test.ts"]
]

it("run every command in a test, or say that they do not", () => {
  for (const page of pages) {
    const blocks = blocksOf(page)
    expect([page, blocks.length > 0]).toEqual([page, true])
    for (const command of blocks.filter(({ notRun }) => notRun === undefined).flatMap(({ commands }) => commands)) {
      const test = run.find(([form]) => form.test(command))?.[1]
      expect([page, command, test !== undefined && existsSync(join(root, test))]).toEqual([page, command, true])
    }
  }
})

it("give kez-chat-server flags that it has", async () => {
  for (const page of pages)
    for (const command of blocksOf(page).flatMap(({ commands }) => commands)) {
      const [, words] = /kez-chat-server ((?:admin \w+|init|serve|doctor|backup|restore)\b)/.exec(command) ?? []
      if (words === undefined) continue
      const { flags } = namesOf(await helpOf("chat-server", ...words.split(" ")))
      for (const [, flag = ""] of command.split("kez-chat-server")[1]!.matchAll(/ --([a-z-]+)/g))
        expect([page, command, flags.has(flag) ? flag : `no --${flag}`]).toEqual([page, command, flag])
    }
})

it("are listed in deploy/README.md", () => {
  const readme = readFileSync(join(root, "deploy/README.md"), "utf8")
  for (const page of pages) expect(readme).toContain(`(docs/${page})`)
})
