/** Debian's Firefox without a window, by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), which it speaks itself. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { type Driver, stop, wheelAction } from "./Driver.ts"

interface Answer {
  readonly id?: number
  readonly result?: Record<string, unknown>
  readonly error?: string
  readonly message?: string
}

export const startFirefox = async (): Promise<Driver> => {
  const profile = await mkdtemp(join(tmpdir(), "kez-firefox-"))
  const firefox = spawn(
    "firefox-esr",
    ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0"],
    {
      env: { ...process.env, HOME: profile },
      stdio: ["ignore", "ignore", "pipe"]
    }
  )
  const address = await new Promise<string>((resolve, reject) => {
    firefox.once("error", reject)
    firefox.once("exit", (code) => reject(new Error(`firefox-esr ended with ${code}`)))
    createInterface(firefox.stderr).on("line", (line) => {
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  })

  const socket = new WebSocket(`${address}/session`)
  await once(socket, "open")
  const waiting = new Map<number, (answer: Answer) => void>()
  socket.addEventListener("message", ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  })
  let last = 0
  const call = (method: string, params: object): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const id = ++last
      waiting.set(id, ({ error, message, result }) => {
        waiting.delete(id)
        if (error === undefined) resolve(result ?? {})
        else reject(new Error(`${method}: ${error}: ${message}`))
      })
      socket.send(JSON.stringify({ id, method, params }))
    })

  const { capabilities } = (await call("session.new", { capabilities: {} })) as {
    capabilities: { browserVersion: string }
  }
  return {
    version: `Firefox ${capabilities.browserVersion}`,
    open: async () => String((await call("browsingContext.create", { type: "tab" }))["context"]),
    close: async (context) => void (await call("browsingContext.close", { context })),
    goto: async (context, url) => void (await call("browsingContext.navigate", { context, url, wait: "complete" })),
    reload: async (context) => void (await call("browsingContext.reload", { context, wait: "complete" })),
    evaluate: async (context, expression) => {
      const { exceptionDetails, result } = (await call("script.evaluate", {
        expression: `(async () => JSON.stringify((await (${expression})) ?? null))()`,
        target: { context },
        awaitPromise: true
      })) as { exceptionDetails?: { text: string }; result?: { value: string } }
      if (result === undefined) throw new Error(exceptionDetails?.text ?? "no answer")
      return JSON.parse(result.value)
    },
    act: async (context, actions) => void (await call("input.performActions", { context, actions })),
    wheel: async (context, at, deltaY) =>
      void (await call("input.performActions", { context, actions: [wheelAction(at, deltaY)] })),
    resize: async (context, width, height) =>
      void (await call("browsingContext.setViewport", { context, viewport: { width, height } })),
    picture: async (context) =>
      Buffer.from(String((await call("browsingContext.captureScreenshot", { context }))["data"]), "base64"),
    quit: async () => {
      await stop(firefox)
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
