/** Another page of the home's origin, with nothing but `embed.js`: the account of the home's page in components of it. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { BrowserContext } from "playwright-core"
import { describe, expect, expectTypeOf, it } from "vitest"
import type * as Declared from "../../embed.d.ts"
import type * as Built from "../../src/embed.ts"
import { button, hasChromium, signUp, useStage, write } from "../kit/Journey.ts"

const example = join(import.meta.dirname, "..", "..", "examples", "embed.html")

/** Serves the example beside the page, under the policy that docs/embedding.md asks for. */
const serveExample = async (context: BrowserContext): Promise<void> => {
  const body = await readFile(example, "utf8")
  const hashOf = (tag: string): string => {
    const inline = new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`).exec(body)?.[1] ?? ""
    return `'sha256-${createHash("sha256").update(inline).digest("base64")}'`
  }
  const policy = [
    "default-src 'none'",
    `script-src 'self' ${hashOf("script")}`,
    `style-src ${hashOf("style")}`,
    "worker-src 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types lit-html kez-chat"
  ]
  await context.route("**/team.html", (route) =>
    route.fulfill({ body, contentType: "text/html", headers: { "content-security-policy": policy.join("; ") } })
  )
}

describe.skipIf(!hasChromium)(
  "a page that embeds conversations",
  () => {
    const stage = useStage()

    it("shows the account of the home's page, and both hear of what is written in either", async () => {
      const home = await stage.visit()
      const context = home.context()
      await serveExample(context)

      const team = await context.newPage()
      await team.goto(`${stage.home.urls.home}/team.html`)
      await team.getByText("Open your account on its page.").waitFor()

      await signUp(home, "alice")
      await button(home, "Go to my messages").click()
      await team.getByText("Open your account on its page.").waitFor({ state: "hidden" })
      await write(team, "Written in the other page")
      await team.locator("kez-message-log").getByText("Written in the other page").waitFor()
      // Its own sentence in place of "Notes to self", and its own colour.
      await team.getByRole("link", { name: /My notes/ }).waitFor()
      const accent = await team
        .locator("kez-composer")
        .evaluate((element) => getComputedStyle(element).getPropertyValue("--accent"))
      expect(accent).toContain("#7a1f5c")

      await home.getByRole("link", { name: /Notes to self/ }).click()
      await home.locator("kez-message-log").getByText("Written in the other page").waitFor()
      await write(home, "Written at home")
      await team.locator("kez-message-log").getByText("Written at home").waitFor()
    })
  },
  240_000
)

describe("embed.d.ts", () => {
  it("declares what embed.js is, for the example in TypeScript", () => {
    // Texts are plain objects and contexts plain symbols there.
    type Opaque = "clientContext" | "provide" | "textsContext" | "withOwn"
    expectTypeOf<Omit<typeof Built, Opaque>>().toExtend<Omit<typeof Declared, Opaque>>()
    expectTypeOf<keyof typeof Built>().toEqualTypeOf<keyof typeof Declared>()
    expectTypeOf<Pick<HTMLElementTagNameMap, keyof Declared.KezElements>>().toExtend<Declared.KezElements>()
    const root = join(import.meta.dirname, "..", "..", "..")
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
    execFileSync(process.execPath, [tsc, "-p", join(root, "reference-web", "examples")], { stdio: "inherit" })
  }, 120_000)
})
