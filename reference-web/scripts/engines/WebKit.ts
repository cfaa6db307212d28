/** WebKitGTK's MiniBrowser on a display of its own, by WebDriver (https://www.w3.org/TR/webdriver2/). */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { globSync } from "node:fs"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Driver, stop, wheelAction } from "./Driver.ts"

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  if (address === null || typeof address === "string") throw new Error("no free port")
  return address.port
}

/** A display that nobody sees, with its number as the server chose it. */
const startDisplay = async () => {
  const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"]
  })
  const started = once(server, "spawn")
  const number = once(server.stdio[3]!, "data")
  await started
  return { server, name: `:${String((await number)[0]).trim()}` }
}

/** Style of the windows around the pages: their toolbar would keep them wider than a phone. */
const narrow = "* { min-width: 0; margin: 0; padding: 0; border: 0; font-size: 1px; -gtk-icon-source: none }"

export const startWebKit = async (): Promise<Driver> => {
  const [binary] = globSync("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")
  if (binary === undefined) throw new Error("webkit2gtk-driver brings no MiniBrowser")
  const home = await mkdtemp(join(tmpdir(), "kez-webkit-"))
  await mkdir(join(home, ".config/gtk-3.0"), { recursive: true })
  await writeFile(join(home, ".config/gtk-3.0/gtk.css"), narrow)
  const display = await startDisplay()
  const port = await freePort()
  const driver = spawn("WebKitWebDriver", [`--port=${port}`], {
    env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: home, DISPLAY: display.name, GDK_BACKEND: "x11" },
    stdio: "ignore"
  })
  await once(driver, "spawn")

  const request = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const { value } = (await response.json()) as { value: { error?: string; message?: string } | null }
    if (!response.ok) throw new Error(`${path}: ${value?.error}: ${value?.message}`)
    return value
  }
  for (let ready = false; !ready;)
    ready = await request("GET", "/status").then(
      () => true,
      () => false
    )

  const { capabilities, sessionId } = (await request("POST", "/session", {
    capabilities: {
      alwaysMatch: { "webkitgtk:browserOptions": { binary, args: ["--automation"] }, timeouts: { script: 60_000 } }
    }
  })) as { sessionId: string; capabilities: { browserName: string; browserVersion: string } }

  // A command goes to the current tab: commands of several tabs take turns.
  let turn: Promise<unknown> = Promise.resolve()
  let current = ""
  const call = (tab: string, method: string, path: string, body?: object): Promise<unknown> => {
    const work = turn.then(async () => {
      if (tab !== "" && tab !== current) await request("POST", `/session/${sessionId}/window`, { handle: tab })
      if (tab !== "") current = tab
      return request(method, `/session/${sessionId}${path}`, body)
    })
    turn = work.catch(() => undefined)
    return work
  }
  let turned = 0
  // The one that it starts with is the first to be opened.
  let unused = (await call("", "GET", "/window")) as string | undefined
  current = unused ?? ""
  return {
    version: `WebKitGTK ${capabilities.browserVersion}`,
    open: async () => {
      const first = unused
      unused = undefined
      // MiniBrowser opens a new tab in the background, where input and pictures wait for ever; a window is shown.
      return first ?? ((await call(current, "POST", "/window/new", { type: "window" })) as { handle: string }).handle
    },
    // The display has no window manager, so nobody would give the focus back if its window closed.
    close: async (tab) => void (await call(tab, "POST", "/url", { url: "about:blank" })),
    goto: async (tab, url) => void (await call(tab, "POST", "/url", { url })),
    reload: async (tab) => void (await call(tab, "POST", "/refresh", {})),
    evaluate: async (tab, expression) => {
      const script = `const done = arguments[arguments.length - 1];
        (async () => JSON.stringify((await (${expression})) ?? null))().then(done, (e) => done("!" + e))`
      const answer = String(await call(tab, "POST", "/execute/async", { script, args: [] }))
      if (answer.startsWith("!")) throw new Error(answer.slice(1))
      return JSON.parse(answer)
    },
    act: async (tab, actions) => void (await call(tab, "POST", "/actions", { actions })),
    wheel: async (tab, at, deltaY) => {
      // MiniBrowser is told the difference from the turn before, so that the second of two equal ones has no effect.
      turned += deltaY
      await call(tab, "POST", "/actions", { actions: [wheelAction(at, turned)] })
    },
    resize: async (tab, width, height) => {
      // The window has a frame and a toolbar around the viewport.
      const inner = (await call(tab, "POST", "/execute/sync", {
        script: "return [innerWidth, innerHeight]",
        args: []
      })) as [number, number]
      const rect = (await call(tab, "GET", "/window/rect")) as { width: number; height: number }
      await call(tab, "POST", "/window/rect", {
        width: width + rect.width - inner[0],
        height: height + rect.height - inner[1]
      })
    },
    picture: async (tab) => Buffer.from(String(await call(tab, "GET", "/screenshot")), "base64"),
    quit: async () => {
      await request("DELETE", `/session/${sessionId}`).catch(() => undefined)
      await stop(driver)
      await stop(display.server)
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
