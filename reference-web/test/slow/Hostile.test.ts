/** Texts that want to be more than text, on a small phone. */
import { describe, expect, it } from "vitest"
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

const hostile = [
  `<img src=x onerror="globalThis.harm=1"><script>globalThis.harm=1</script>`,
  `[a link](javascript:globalThis.harm=1) javascript:globalThis.harm=1 https://example.org/"onmouseover="globalThis.harm=1`,
  "\u202Etxt.exe \u2066\u2067 \u200Fאבג 123",
  `Z${"\u0301\u0489".repeat(200)}`,
  `{{constructor.constructor("globalThis.harm=1")()}} \${globalThis.harm=1}`,
  "W".repeat(30_000)
]

describe.skipIf(!hasChromium)(
  "a message",
  () => {
    const stage = useStage()

    it("stays text, and the page as wide as the phone", async () => {
      const [page, other] = await Promise.all([stage.visit({ viewport: { width: 320, height: 640 } }), stage.visit()])
      await settleIn(page, "vera")
      await settleIn(other, "willi")
      await startWith(other, "vera")
      await write(other, hostile[0]!)
      await page.getByText("1 person wants to write to you").click()
      await button(page, "Accept").click()
      await sendAll(other, "vera", hostile.slice(1))
      await message(page, "WWWW").waitFor()
      expect(await textsOf(page)).toEqual(hostile)
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
  },
  240_000
)
