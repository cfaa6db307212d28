/**
 * People in a real Chromium on the built page, with a whole home server beside them, and people at a terminal.
 *
 * Each page is watched: an error, a violation of its content security policy, or a request to any other origin than the
 * home, its sig-server, its broker and the services that it publishes for proofs fails the journey. KEZ_SCREENSHOTS names a folder for pictures of those that fail.
 */
import { existsSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, expect } from "vitest"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import { type Home, startHome } from "../../../deploy/local/Home.ts"

const executablePath = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin"]
  .map((folder) => join(folder, "chromium"))
  .find((path) => existsSync(path))

/** Journeys are left out where there is no Chromium; `vitest.config.ts` says what to install. */
export const hasChromium = executablePath !== undefined

/** How long a step may take on a busy machine, in milliseconds. */
const patience = 45_000

export interface Stage {
  readonly home: Home
  readonly browser: Browser
  /** A new browser profile with one page at `url`; at the home's own one if none is given. */
  visit(options?: Parameters<Browser["newContext"]>[0], url?: string): Promise<Page>
}

const watch = (context: BrowserContext, home: Home, others: ReadonlyArray<string>, problems: Array<string>): void => {
  const { home: own, sigServer, websocket } = home.urls
  const urls = [...others, own, own.replace("127.0.0.1", "localhost"), sigServer, websocket]
  const origins = urls.map((url) => new URL(url).origin)
  context.on("request", (request) => {
    const url = new URL(request.url())
    if (!["blob:", "data:"].includes(url.protocol) && !origins.includes(url.origin))
      problems.push(`request to ${url.origin}`)
  })
  context.on("weberror", (error) => problems.push(`error: ${error.error().message}`))
  context.on("console", (message) => {
    if (/content security policy|trusted ?types?/i.test(message.text())) problems.push(message.text())
  })
}

/** Sets the stage for a file's journeys and fails them for what the watch saw. */
export const useStage = (
  options: Partial<Parameters<typeof startHome>[0]> = {},
  proofSources: ReadonlyArray<string> = []
): Stage => {
  const problems: Array<string> = []
  const contexts: Array<BrowserContext> = []
  let home: Home
  let browser: Browser

  beforeAll(async () => {
    ;[home, browser] = await Promise.all([
      startHome({ data: mkdtempSync(join(tmpdir(), "kez-journey-")), ports: "auto", source: true, ...options }),
      chromium.launch({
        ...(executablePath === undefined ? {} : { executablePath }),
        args: ["--no-sandbox", "--disable-background-networking"]
      })
    ])
  }, 180_000)

  afterEach(async ({ task }) => {
    const shots = process.env["KEZ_SCREENSHOTS"]
    if (shots !== undefined && task.result?.state === "fail")
      for (const [number, page] of contexts.flatMap((context) => context.pages()).entries())
        await page.screenshot({ path: join(shots, `${task.name.replace(/\W+/g, "-")}-${number}.png`) })
    await Promise.all(contexts.splice(0).map((context) => context.close()))
    expect(problems.splice(0)).toEqual([])
  })

  afterAll(async () => {
    await browser?.close()
    await home?.remove()
  })

  return {
    get home() {
      return home
    },
    get browser() {
      return browser
    },
    visit: async (contextOptions = {}, url = home.urls.home) => {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 860 },
        reducedMotion: "reduce",
        ...contextOptions
      })
      context.setDefaultTimeout(patience)
      contexts.push(context)
      watch(context, home, [url, ...proofSources], problems)
      const page = await context.newPage()
      await page.goto(url)
      return page
    }
  }
}

export const button = (page: Page, name: string | RegExp): Locator => page.getByRole("button", { name, exact: true })

/** Waits for a heading of the page. */
export const heading = (page: Page, name: string | RegExp): Promise<void> =>
  page.getByRole("heading", { name }).first().waitFor()

export const passphrase = "a passphrase of a test"

/** The 24 words that the page shows. */
export const shownWords = async (page: Page): Promise<ReadonlyArray<string>> => {
  const items = await page.locator("kez-words-step ol li").allTextContents()
  return items.map((text) => text.replace(/[\d.\s]/g, ""))
}

/** Signs up as a person would, and gives the words. */
export const signUp = async (page: Page, name: string): Promise<ReadonlyArray<string>> => {
  const words = await beginSignUp(page, name)
  await finishSignUp(page, name, words)
  return words
}

/** As far as the words. */
export const beginSignUp = async (page: Page, name: string): Promise<ReadonlyArray<string>> => {
  await button(page, "Create an account").click()
  await page.getByLabel("Name").fill(name)
  await page.getByText(`${name}@localhost is free.`).waitFor()
  await button(page, "Continue").click()
  await button(page, "I have pen and paper").click()
  await button(page, "Show my words").click()
  return shownWords(page)
}

export const finishSignUp = async (page: Page, name: string, words: ReadonlyArray<string>): Promise<void> => {
  await button(page, "I wrote them down").click()
  await answerWords(page, words)
  await button(page, "Continue").click()
  await page.getByLabel("Passphrase", { exact: true }).fill(passphrase)
  await page.getByLabel("Repeat the passphrase").fill(passphrase)
  await button(page, "Lock with this passphrase").click()
  await heading(page, `You are ${name}.`)
}

/** From the fields for 24 words to the account's messages. */
export const restoreFrom = async (page: Page, words: ReadonlyArray<string>, handle: string): Promise<void> => {
  await page.getByLabel("Word 1", { exact: true }).fill(words.join(" "))
  await button(page, "Continue").click()
  await page.getByLabel("Passphrase", { exact: true }).fill(passphrase)
  await page.getByLabel("Repeat the passphrase").fill(passphrase)
  await button(page, "Lock with this passphrase").click()
  await heading(page, `${handle} is back.`)
  await button(page, "Open my messages").click()
}

/** Types the words that the check asks for. */
export const answerWords = async (page: Page, words: ReadonlyArray<string>): Promise<void> => {
  for (const field of await page.getByLabel(/^What is word \d+\?$/).all()) {
    const label = await field.evaluate(
      (input) => (input.getRootNode() as ShadowRoot).querySelector("label")?.textContent ?? ""
    )
    await field.fill(words[Number(/\d+/.exec(label)?.[0]) - 1] ?? "")
  }
  await button(page, "Check").click()
}

/** Writes to whoever the open conversation is with. */
export const write = async (page: Page, text: string): Promise<void> => {
  const composer = page.getByRole("textbox", { name: /^Message to |^A note to/ })
  await composer.fill(text)
  await composer.press("Enter")
}

/** Signs up and goes on to the list of conversations. */
export const settleIn = async (page: Page, name: string): Promise<ReadonlyArray<string>> => {
  const words = await signUp(page, name)
  await button(page, "Go to my messages").click()
  await page.getByRole("link", { name: "New conversation" }).waitFor()
  return words
}

/** Finds somebody by their name and opens the conversation with them. */
export const startWith = async (page: Page, name: string): Promise<void> => {
  await goTo(page, "#/new")
  await page.getByLabel("Handle").fill(name)
  await button(page, "Look up").click()
  await button(page, `Add ${name}`).click()
  await page.getByRole("textbox", { name: `Message to ${name}` }).waitFor()
}

/** Follows an address of the page, as a link would. */
export const goTo = async (page: Page, hash: string): Promise<void> => {
  await page.evaluate((to) => (location.hash = to), hash)
}

/** A message of the open conversation. */
export const message = (page: Page, text: string): Locator => page.locator("kez-message").filter({ hasText: text })

/** The texts of the open conversation, oldest first. */
export const textsOf = (page: Page): Promise<ReadonlyArray<string>> =>
  page
    .locator("kez-message")
    .evaluateAll((messages) => messages.map((element) => Reflect.get(element, "message")?.text ?? ""))

/** Opens a locked account. */
export const unlock = async (page: Page, secret: string = passphrase): Promise<void> => {
  await page.getByLabel("Passphrase", { exact: true }).fill(secret)
  await button(page, "Unlock").click()
}

/** The open dialog: what stands in it belongs to the component that shows it. */
export const dialog = (page: Page): Locator => page.locator("kez-dialog[open]")

/** Sends texts as the page would, without typing them. */
export const sendAll = (page: Page, who: string, texts: ReadonlyArray<string>): Promise<void> =>
  page.evaluate(
    async ([to, all]) => {
      const app = document.querySelector("kez-app") as HTMLElement & { readonly account: WebAccount }
      for (const text of all) await app.account.client.send(to, text)
    },
    [who, texts] as const
  )
