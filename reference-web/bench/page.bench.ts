/**
 * The built page in Chromium with a whole home: how long a person waits for the first screen, for their history, for
 * their list, for a long conversation, and for what they type to appear.
 *
 * KEZ_BENCH_MESSAGES sets the length of the long conversation.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { chromium, type Page } from "playwright-core"
import type { MessageLog } from "../src/components/message-log/MessageLog.ts"
import { pageUrl, startHome } from "../../deploy/local/Home.ts"
import { type Figure, median, percentile, report } from "../../sdk/bench/Report.ts"
import { friend, makeScribe, noLimits, owner, textOf, wordsOf, writeHistory } from "../test/kit/History.ts"

const long = Number(process.env["KEZ_BENCH_MESSAGES"] ?? 10_000)
const conversations = 20
const arriving = 1_000
const rounds = 5
const passphrase = "a passphrase of a bench"

const executablePath = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin"]
  .map((folder) => join(folder, "chromium"))
  .find((path) => existsSync(path))
if (executablePath === undefined) {
  process.stdout.write("\npage: left out, because Chromium is missing: apt-get install chromium\n")
  process.exit(0)
}

const folder = mkdtempSync(join(tmpdir(), "kez-bench-"))
const home = await startHome({ data: join(folder, "home"), ports: "auto", flags: noLimits })
const scribe = await makeScribe(home, join(folder, "clients"))
const messages = await writeHistory(scribe, { conversations, long })
// The page gets 1280 x 860 pixels of this window. An emulated viewport of that size would be taller than what a window of
// the same size has left below its bars, and headless Chromium draws nothing of what is beyond, such as the composer.
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-background-networking", "--window-size=1280,947"]
})

/** In the page: what measurements look for, also in shadow roots. Resolves at the frame that shows it. */
const observer = `
  globalThis.find = (selector, root = document) => {
    const here = root.querySelector(selector)
    if (here !== null) return here
    for (const { shadowRoot } of root.querySelectorAll("*")) {
      const below = shadowRoot === null ? null : find(selector, shadowRoot)
      if (below !== null) return below
    }
    return null
  }
  globalThis.painted = async (test) => {
    for (;;) {
      await new Promise(requestAnimationFrame)
      const found = test()
      if (found) return found
    }
  }
  globalThis.account = () => document.querySelector("kez-app").account
`
const context = await browser.newContext({ viewport: null })
await context.addInitScript(observer)
context.setDefaultTimeout(120_000)

const measure = (page: Page, expression: string): Promise<number> => page.evaluate(`(async () => { ${expression} })()`)
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true })

// The first screen: it is interactive once it knows that there is no account, and shows both ways in.
const visit = async (): Promise<number> => {
  const page = await context.newPage()
  await page.goto(pageUrl(home.urls), { waitUntil: "commit" })
  const time = await measure(
    page,
    `await painted(() => globalThis.find && find("kez-welcome")?.shadowRoot.querySelector("kez-button")); return performance.now()`
  )
  await page.evaluate(`navigator.serviceWorker.ready`)
  await page.close()
  return time
}
const cold = await visit()
const cached: Array<number> = []
for (let round = 0; round < rounds; round++) cached.push(await visit())

// From the words to the last message, the key derivation included.
const page = await context.newPage()
await page.goto(pageUrl(home.urls))
await button(page, "Sign in with 24 words").click()
await page.getByLabel("Word 1", { exact: true }).fill(wordsOf(owner))
await button(page, "Continue").click()
await page.getByLabel("Passphrase", { exact: true }).fill(passphrase)
await page.getByLabel("Repeat the passphrase").fill(passphrase)
const restored = measure(
  page,
  `const begin = await new Promise((resolve) =>
      addEventListener("click", () => resolve(performance.now()), { once: true, capture: true }))
    for await (const { _tag } of account().states()) if (_tag === "open") break
    for await (const { of, taken } of account().client.catchingUp()) if (of >= ${messages} && taken === of) break
    return (performance.now() - begin) / 1000`
)
await button(page, "Lock with this passphrase").click()
const restoreSeconds = await restored
await button(page, "Open my messages").click()

const row = `find('kez-conversation-list') && [...find('kez-conversation-list').shadowRoot.querySelectorAll("a")]`
const unlocking: Array<number> = []
for (let round = 0; round < rounds; round++) {
  await page.evaluate(`account().lock()`)
  await page.getByLabel("Passphrase", { exact: true }).fill(passphrase)
  const unlocked = measure(
    page,
    `const begin = await new Promise((resolve) =>
        addEventListener("click", () => resolve(performance.now()), { once: true, capture: true }))
      await painted(() => (${row})?.length >= ${conversations})
      return performance.now() - begin`
  )
  await button(page, "Unlock").click()
  unlocking.push(await unlocked)
}

const opening: Array<number> = []
for (let round = 0; round < rounds; round++) {
  await page.evaluate(`location.hash = "#/c/person2"`)
  await page.evaluate(`painted(() => find("kez-message-log")?.messages.length === 20)`)
  opening.push(
    await measure(
      page,
      `const begin = performance.now()
        location.hash = "#/c/${friend.handle}"
        await painted(() => find("kez-message-log")?.shadowRoot.querySelector(".row:last-child kez-message")?.message.text === ${JSON.stringify(textOf(long))})
        return performance.now() - begin`
    )
  )
}

// Scrolls up by the wheel through older messages, and takes the time of each frame.
await page.mouse.move(700, 400)
await page.evaluate(`
  globalThis.frameTimes = []
  let last = 0
  const tick = (now) => { if (last > 0) frameTimes.push(now - last); last = now; requestAnimationFrame(tick) }
  requestAnimationFrame(tick)
`)
const loadedBefore = await measure(page, `return find("kez-message-log").messages.length`)
for (let step = 0; step < 200; step++) await page.mouse.wheel(0, -120)
const frames: ReadonlyArray<number> = await page.evaluate(`frameTimes`)
const loaded = (await measure(page, `return find("kez-message-log").messages.length`)) - loadedBefore

// Goes up until older messages are asked for, then rests: how far does what is read move while they come in?
const shift = await page.evaluate(async (): Promise<number> => {
  const log = (globalThis as unknown as { find(selector: string): MessageLog }).find("kez-message-log")
  const scroller = log.shadowRoot!.querySelector(".scroller")!
  const middle = scroller.getBoundingClientRect().top + scroller.clientHeight / 2
  const rows = () => [...log.shadowRoot!.querySelectorAll("kez-message")]
  const frame = () => new Promise(requestAnimationFrame)
  let most = 0
  for (let page = 0; page < 10; page++) {
    const asked: Array<{ readonly order: number; readonly top: number }> = []
    const { length } = log.messages
    const note = () => {
      const element = rows().find((one) => one.getBoundingClientRect().bottom > middle)!
      asked.push({ order: element.message!.order, top: element.getBoundingClientRect().top })
    }
    log.addEventListener("kez-older", note, { once: true })
    while (asked.length === 0) {
      scroller.scrollTop -= 200
      for (let settle = 0; settle < 3; settle++) await frame()
    }
    while (log.messages.length === length) await frame()
    for (let settle = 0; settle < 3; settle++) await frame()
    const { order, top } = asked[0]!
    const element = rows().find(({ message }) => message?.order === order)
    most = Math.max(most, element === undefined ? Infinity : Math.abs(element.getBoundingClientRect().top - top))
  }
  return most
})

// Typing while messages of this conversation arrive. The browser reports the time from each key to its paint.
await page.evaluate(`location.hash = "#/c/person2"`)
await page.evaluate(`location.hash = "#/c/${friend.handle}"`)
await page.getByRole("textbox", { name: `Message to ${friend.handle}` }).click()
await page.evaluate(`
  globalThis.keys = []
  new PerformanceObserver((list) => {
    for (const { duration, name } of list.getEntries()) if (name === "keydown") keys.push(duration)
  }).observe({ type: "event", durationThreshold: 16 })
`)
const arrived = scribe.write(friend, long + 1, long + arriving, "theirs")
const newest = `find("kez-message-log").messages.at(-1)?.text === ${JSON.stringify(textOf(long + arriving))}`
let pressed = 0
while (!(await page.evaluate(newest))) {
  await page.keyboard.press("abcdefghij "[pressed++ % 11]!)
  await new Promise((next) => setTimeout(next, 50))
}
await arrived
// Keys are reported after they are painted.
for (let frame = 0; frame < 3; frame++) await page.evaluate(`painted(() => true)`)
const slowKeys: ReadonlyArray<number> = await page.evaluate(`keys`)
// Shorter ones are not reported.
const keys = [...slowKeys, ...Array.from({ length: Math.max(0, pressed - slowKeys.length) }, () => 16)]

const under = (name: string, value: number, unit: string, against: string, most: number): Figure => ({
  name,
  value,
  unit,
  against,
  aim: { atMost: most }
})
const count = (value: number) => value.toLocaleString("en-US")
report(
  "page: the built page in Chromium, one home on this machine",
  [
    under("first visit to interactive", cold, "ms", "empty cache, a new browser", 1_000),
    under("later visit to interactive", median(cached), "ms", "by the service worker", 300),
    under(`restore of ${count(messages)} messages`, restoreSeconds, "s", "from the passphrase to the last one", 10),
    under("unlock to list", median(unlocking), "ms", `Argon2id included, ${conversations} conversations`, 1_200),
    under(
      `conversation of ${count(long)} opens`,
      median(opening),
      "ms",
      `first time ${Math.round(opening[0]!)} ms`,
      200
    ),
    under(
      "frame while scrolling, p95",
      percentile(frames, 0.95),
      "ms",
      `by the wheel, ${loaded} older ones loaded`,
      32
    ),
    under("shift while older ones come in", shift, "px", "largest of ten pages", 0),
    under("key press to paint, p95", percentile(keys, 0.95), "ms", `${count(arriving)} messages arrive meanwhile`, 50)
  ],
  ["medians of five, but the first visit, restoring, scrolling and typing"]
)

await browser.close()
await scribe.close()
await home.stop()
rmSync(folder, { recursive: true, force: true })
