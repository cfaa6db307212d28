/**
 * `npm run screenshots -w @kez-chat/web`: every state of every component, in light, dark and on a phone, as
 * `dist-gallery/<element>/<state>.<look>.png`.
 *
 *   npm run screenshots -w @kez-chat/web                  all of them
 *   npm run screenshots -w @kez-chat/web -- kez-message   those of one element
 */
import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { chromium, type Page } from "playwright-core"
import { createServer } from "vite"

const root = join(import.meta.dirname, "..")
const out = join(root, "dist-gallery")

const looks = {
  light: { colorScheme: "light", viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
} as const

/** A loaded machine may take long for anything, in milliseconds. */
const patienceMillis = 180_000

/** Stories that read from a client, or act, take a moment to come to rest: waits until nothing changes any more. */
const settle = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const seen = (root: ParentNode): string =>
      [...root.querySelectorAll("*")]
        .map((element) => {
          const { height, top, width } = element.getBoundingClientRect()
          const isPending = (element as { readonly isUpdatePending?: boolean }).isUpdatePending === true
          const own = `${element.localName} ${top} ${width} ${height} ${isPending ? Math.random() : ""}`
          return element.shadowRoot === null ? own : own + seen(element.shadowRoot)
        })
        .join()
    const until = performance.now() + 30_000
    let last = ""
    for (let same = 0; same < 4 && performance.now() < until;) {
      await new Promise((resolve) => setTimeout(resolve, 150))
      await new Promise(requestAnimationFrame)
      const now = seen(document)
      same = now === last ? same + 1 : 0
      last = now
    }
  })

const wanted = process.argv.slice(2)
const server = await createServer({ root, server: { port: 0, strictPort: false }, logLevel: "error" })
await server.listen()
const address = server.httpServer?.address()
if (address === null || typeof address !== "object") throw new Error("the gallery's server has no address")
const url = `http://localhost:${address.port}/gallery.html`
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-background-networking"],
  timeout: patienceMillis
})

let count = 0
for (const [look, options] of Object.entries(looks)) {
  const context = await browser.newContext({ ...options, reducedMotion: "reduce" })
  context.setDefaultTimeout(patienceMillis)
  const page = await context.newPage()
  page.on("pageerror", (error) => process.stderr.write(`${look}: ${error.message}\n`))
  await page.goto(url)
  await page.locator("figure").first().waitFor()
  const elements = await page.locator("body > section").evaluateAll((sections) => sections.map(({ id }) => id))
  for (const element of elements.filter((name) => wanted.length === 0 || wanted.includes(name))) {
    await page.goto(`${url}#${element}`)
    await page.locator(`section#${element} figure`).first().waitFor()
    await settle(page)
    const folder = join(out, element)
    if (look === "light") await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    const whole = page.locator(`section#${element}`)
    await whole.screenshot({ path: join(folder, `all.${look}.png`) })
    for (const figure of await page.locator(`section#${element} figure.screen`).all()) {
      const state = (await figure.getAttribute("data-state")) ?? ""
      await figure.locator(".stage").screenshot({ path: join(folder, `${state.replace(/\W+/g, "-")}.${look}.png`) })
      count += 1
    }
    count += 1
  }
  await context.close()
}
await browser.close()
await server.close()
process.stdout.write(`${count} pictures in ${out}\n`)
