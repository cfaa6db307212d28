/** The page of the manual, built and used. */
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { hasChromium, openScene, type Scene } from "./PageKit.ts"

let scene: Scene

describe.skipIf(!hasChromium)("examples/page", () => {
  beforeAll(async () => {
    scene = await openScene(["1"], join(import.meta.dirname, "../../examples/page"))
  })
  afterAll(() => scene?.close())

  it("creates an account and keeps a note", async () => {
    const page = await (await scene.profile()).newPage()
    page.on("dialog", (dialog) => dialog.accept("a long enough passphrase"))
    await page.goto(`${scene.origin}/1/`)
    const state = (text: string) => page.getByText(text, { exact: true }).waitFor()
    const enter = async (text: string) => {
      await page.locator("input").fill(text)
      await page.locator("button").click()
    }
    await state("empty")
    await enter("noter")
    await state("open")
    await enter("buy bread")
    await page.locator("li", { hasText: "buy bread" }).waitFor()
    assert.strictEqual(await page.locator("li").count(), 1)
  })
})
