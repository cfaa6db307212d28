/** What a page does by itself, with a worker that only answers. */
import { servePort } from "@kez-chat/sdk/port"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import { openAccount, type WebAccount } from "@kez-chat/sdk/web-page"
import { afterEach, assert, describe, expect, it } from "vitest"
import { serveCalls } from "../../src/port/Serve.ts"
import { accountCalls, type AccountHost, type Hello, type Update } from "../../src/web/AccountPort.ts"
import { hold } from "../../src/web/Locks.ts"
import { clientWith } from "../port/PortKit.ts"

const closers: Array<() => void> = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** Replaces a property of the page for one test. */
const replace = (target: object, name: string, value: unknown): void => {
  const before = Object.getOwnPropertyDescriptor(target, name)
  if (value === undefined) Reflect.deleteProperty(target, name)
  else Object.defineProperty(target, name, { configurable: true, value })
  closers.push(() => {
    if (before === undefined) Reflect.deleteProperty(target, name)
    else Object.defineProperty(target, name, before)
  })
}

const noWorker = (): Worker => {
  throw new Error("no worker is started")
}

describe("a page that cannot have an account", () => {
  it.each([
    ["insecure", globalThis, "isSecureContext", false],
    ["no_storage", globalThis, "indexedDB", undefined],
    ["too_old", navigator, "locks", null]
  ] as const)("is %s, and starts no worker", async (reason, target, name, value) => {
    replace(target, name, value)
    const account = await openAccount({ build: "1", dedicated: noWorker })
    closers.push(() => account.close())
    assert.deepInclude(account.state, { _tag: "broken", reason })
    const refused = await account.client.account().catch((error: unknown) => error)
    assert.deepInclude(refused, { _tag: "AccountLocked" })
  })
})

/** A page whose account is open in a worker with this client. */
const opened = async (client: KezChatClient): Promise<WebAccount> => {
  const worker = `worker/${crypto.randomUUID()}`
  closers.push((await hold(worker))!)
  const update: Update = {
    state: { _tag: "open", handle: "alice@localhost", primary: `ed25519:${"a1".repeat(32)}`, slots: [] },
    worker,
    home: { name: "localhost", url: location.origin },
    ticket: undefined,
    forgotten: false
  }
  const host: Pick<AccountHost, "updates"> = {
    async *updates() {
      yield update
      await new Promise(() => undefined)
    }
  }
  const postMessage = (hello: Hello): void => {
    serveCalls(hello.account, accountCalls, host as AccountHost)
    servePort(hello.client, client)
  }
  const dedicated = () => Object.assign(new EventTarget(), { postMessage }) as unknown as Worker
  const account = await openAccount({ build: "1", dedicated })
  closers.push(() => account.close())
  return account
}

describe("a page that wakes up", () => {
  it("has the worker check the connection, until the account is closed", async () => {
    let nudges = 0
    const account = await opened(clientWith({ nudge: async () => void nudges++ }))
    assert.strictEqual(account.state._tag, "open")
    dispatchEvent(new Event("online"))
    await expect.poll(() => nudges).toBe(1)
    document.dispatchEvent(new Event("visibilitychange"))
    await expect.poll(() => nudges).toBe(2)
    dispatchEvent(new PageTransitionEvent("pageshow"))
    await expect.poll(() => nudges).toBe(3)
    account.close()
    dispatchEvent(new Event("online"))
    assert.strictEqual(nudges, 3)
  })
})
