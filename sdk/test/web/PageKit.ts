/** Pages in a real Chromium, built by Vite, with a real home server beside them. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { extname, join, resolve } from "node:path"
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core"
import { build } from "vite"
import type { AccountState, WebAccount } from "@kez-chat/sdk/web-page"
import { type Home, startHome } from "../../../deploy/local/Home.ts"

const program = "/usr/bin/chromium"

/** Whether Chromium is here; without it the tests are skipped, or fail with KEZ_NO_SKIP. */
export const hasChromium = existsSync(program)
if (!hasChromium) {
  const sentence = "chromium is not installed: apt-get install chromium"
  if (process.env["KEZ_NO_SKIP"]) throw new Error(sentence)
  process.stderr.write(`Skipped: ${sentence}\n`)
}

/** What the page of the tests puts into its window. */
export interface Window {
  readonly account: WebAccount
  readonly worker: Worker
}

const types: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" }

/** Serves built files; `/1/` is build 1. */
const serveFiles = (folder: string): Promise<Server> =>
  new Promise((done) => {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost")
      const file = resolve(folder, `.${pathname.endsWith("/") ? `${pathname}index.html` : pathname}`)
      if (!file.startsWith(folder) || !existsSync(file)) return response.writeHead(404).end()
      response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" })
      response.end(readFileSync(file))
    })
    server.listen(0, "127.0.0.1", () => done(server))
  })

export interface Scene {
  readonly home: Home
  readonly folder: string
  readonly origin: string
  /** A browser with nothing stored. */
  profile(): Promise<BrowserContext>
  close(): Promise<void>
}

/** Builds `root` as Vite does for a page, with these constants. */
export const buildPage = (root: string, outDir: string, define: Readonly<Record<string, string>>) =>
  build({
    root,
    base: "./",
    configFile: false,
    logLevel: "error",
    define: Object.fromEntries(Object.entries(define).map(([name, value]) => [name, JSON.stringify(value)])),
    resolve: { conditions: ["kez-source", "browser", "module", "import", "default"] },
    worker: { format: "es" },
    build: { outDir, emptyOutDir: true, target: "es2022", modulePreload: { polyfill: false } }
  })

/** A home, and a server with a build of a page for each name, at `/<name>/`. */
export const openScene = async (
  builds: ReadonlyArray<string>,
  root = join(import.meta.dirname, "page")
): Promise<Scene> => {
  const folder = mkdtempSync(join(tmpdir(), "kez-web-"))
  const files = join(folder, "files")
  const server = await serveFiles(files)
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const home = await startHome({
    data: join(folder, "home"),
    source: true,
    origins: [origin]
  })
  for (const name of builds) await buildPage(root, join(files, name), { BUILD: name, HOME: home.urls.home })
  const browsers: Array<Browser> = []
  return {
    home,
    folder,
    origin,
    profile: async () => {
      const browser = await chromium.launch({
        executablePath: program,
        args: ["--no-sandbox", "--disable-background-networking"]
      })
      browsers.push(browser)
      return browser.newContext()
    },
    close: async () => {
      await Promise.all(browsers.map((browser) => browser.close()))
      await new Promise((done) => server.close(done))
      await home.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** Opens a page, and prints what it reports. */
export const openTab = async (scene: Scene, context: BrowserContext, path: string): Promise<Page> => {
  const tab = await context.newPage()
  tab.on("pageerror", (error) => process.stderr.write(`${path}: ${error.stack ?? error.message}\n`))
  await tab.goto(`${scene.origin}${path}`)
  await tab.waitForFunction(() => "account" in globalThis)
  return tab
}

export const stateOf = (tab: Page): Promise<AccountState> =>
  tab.evaluate(() => (globalThis as unknown as Window).account.state)

/** Waits for a state. */
export const reaches = async <Tag extends AccountState["_tag"]>(
  tab: Page,
  tag: Tag
): Promise<Extract<AccountState, { _tag: Tag }>> => {
  try {
    await tab.waitForFunction((tag) => (globalThis as unknown as Window).account?.state._tag === tag, tag)
  } catch (cause) {
    throw new Error(`instead of ${tag} the state is ${JSON.stringify(await stateOf(tab))}`, { cause })
  }
  return (await stateOf(tab)) as Extract<AccountState, { _tag: Tag }>
}

/** Creates an account in a tab; the steps that it took. */
export const createIn = (tab: Page, handle: string, passphrase: string): Promise<ReadonlyArray<string>> =>
  tab.evaluate(
    async ({ handle, passphrase }) => {
      const { account } = globalThis as unknown as Window
      const steps: Array<string> = []
      const words = await account.newWords()
      for await (const step of account.create({ handle, words, passphrase })) steps.push(step)
      return steps
    },
    { handle, passphrase }
  )

/** Runs a function in a page, which may only use its arguments. */
export const run = <Result, Argument = undefined>(
  tab: Page,
  use: (window: Window, argument: Argument) => Result | Promise<Result>,
  argument?: Argument
): Promise<Result> =>
  // The function crosses as text.
  tab.evaluate(`(${String(use)})(globalThis, ${JSON.stringify(argument) ?? "undefined"})`) as Promise<Result>
