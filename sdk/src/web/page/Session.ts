/** The page's connection to the worker: starts it, learns when it is gone, and starts it again. */
import { clientCalls } from "../../port/ClientCalls.ts"
import { type Connection, connectCalls } from "../../port/Connect.ts"
import type { KezChatClient } from "../../promise/index.ts"
import { accountCalls, type AccountHost, type Hello, type Home, type Update } from "../AccountPort.ts"
import type { AccountState } from "../AccountState.ts"
import type { Latest } from "../Latest.ts"
import { hold, type Release } from "../Locks.ts"

export interface Workers {
  /** `new SharedWorker(url, { type: "module", name, extendedLifetime: true })`; used where the browser has them. */
  readonly shared?: () => SharedWorker
  /** `new Worker(url, { type: "module" })`. */
  readonly dedicated: () => Worker
}

/** Names in `localStorage` and `sessionStorage`. */
const handleItem = "kez-chat/handle"
const askItem = "kez-chat/ask-on-reload"
const ticketItem = "kez-chat/ticket"

/** A worker that says nothing for this long has failed. */
const startMillis = 30_000
/** A worker that ends this many times in a row, each time within `unstableMillis`, is not started again. */
const restarts = 3
const unstableMillis = 10_000

export interface Connected {
  readonly host: AccountHost
  readonly client: KezChatClient
}

export class Session {
  connected: Connected | undefined
  home: Home = { name: location.hostname, url: location.origin }
  readonly #options: Workers & { readonly build: string }
  readonly #state: Latest<AccountState>
  readonly #ended = new AbortController()
  #connections: ReadonlyArray<Connection<unknown>> = []
  #leave: Release = () => {}
  #failures = 0
  /** The account that was open in this page: browsers clear what they store of a site together. */
  #handle: string | undefined

  constructor(options: Workers & { readonly build: string }, state: Latest<AccountState>) {
    this.#options = options
    this.#state = state
  }

  get askOnReload(): boolean {
    return localStorage.getItem(askItem) !== null
  }

  set askOnReload(ask: boolean) {
    if (ask) localStorage.setItem(askItem, "1")
    else localStorage.removeItem(askItem)
    if (ask) sessionStorage.removeItem(ticketItem)
    this.connected?.host.keep(!ask).catch(() => {})
  }

  /** Resolves when the worker has told its first state, or cannot. */
  start(): Promise<void> {
    return new Promise((resolve) => void this.#run(resolve))
  }

  close(): void {
    this.#ended.abort()
    this.#disconnect()
    this.#leave()
  }

  async #run(ready: () => void): Promise<void> {
    const { signal } = this.#ended
    const startedAt = performance.now()
    const page = `kez-chat/page/${crypto.randomUUID()}`
    // Held before the worker hears of it, or the worker would take the page for gone.
    this.#leave = (await hold(page)) ?? (() => {})
    const fail = (detail: string) => {
      this.#disconnect()
      this.#state.value = { _tag: "broken", reason: "not_started", detail }
      ready()
    }
    const timer = setTimeout(() => fail("the account's worker does not answer"), startMillis)
    try {
      const host = this.#connect(page, (detail) => {
        clearTimeout(timer)
        fail(detail)
      })
      let known = false
      for await (const update of host.updates()) {
        if (!known) {
          known = true
          clearTimeout(timer)
          void this.#watch(update.worker)
        }
        this.#apply(update)
        if (update.state._tag !== "starting") ready()
      }
    } catch (error) {
      clearTimeout(timer)
      return fail(error instanceof Error ? error.message : String(error))
    }
    clearTimeout(timer)
    this.#leave()
    if (signal.aborted || this.#state.value._tag === "broken") return
    this.#failures = performance.now() - startedAt < unstableMillis ? this.#failures + 1 : 0
    if (this.#failures >= restarts) return fail("the account's worker ends again and again")
    this.#state.value = { _tag: "starting" }
    await this.#run(ready)
  }

  /** Waits until the worker is gone, and ends the loop over its updates. */
  async #watch(worker: string): Promise<void> {
    const release = await hold(worker, { signal: this.#ended.signal })
    release?.()
    if (release !== undefined) this.#disconnect()
  }

  #connect(page: string, fail: (detail: string) => void): AccountHost {
    const { build, dedicated, shared } = this.#options
    const [account, client] = [new MessageChannel(), new MessageChannel()]
    const hello: Hello = {
      page,
      build,
      ticket: sessionStorage.getItem(ticketItem) ?? undefined,
      keep: !this.askOnReload,
      account: account.port1,
      client: client.port1
    }
    const worker = shared !== undefined && "SharedWorker" in globalThis ? shared() : dedicated()
    let started = false
    worker.addEventListener("error", (event) => {
      const detail = event instanceof ErrorEvent && event.message !== "" ? `: ${event.message}` : ""
      if (!started) fail(`the account's worker could not be started${detail}`)
    })
    const target = "port" in worker ? worker.port : worker
    target.postMessage(hello, [hello.account, hello.client])
    const connections = [connectCalls(account.port2, accountCalls), connectCalls(client.port2, clientCalls)] as const
    this.#connections = connections
    this.connected = { host: connections[0].target, client: connections[1].target }
    account.port2.addEventListener("message", () => (started = true), { once: true })
    return connections[0].target
  }

  #disconnect(): void {
    this.connected = undefined
    for (const { close } of this.#connections) close()
    this.#connections = []
  }

  #apply({ forgotten, home, state, ticket }: Update): void {
    this.home = home
    if (ticket === null || this.askOnReload) sessionStorage.removeItem(ticketItem)
    else if (ticket !== undefined) sessionStorage.setItem(ticketItem, ticket)
    if (state._tag === "open") this.#handle = state.handle
    if (forgotten) this.#handle = undefined
    if (forgotten) localStorage.removeItem(handleItem)
    else if (this.#handle !== undefined) localStorage.setItem(handleItem, this.#handle)
    const lost = state._tag === "empty" ? localStorage.getItem(handleItem) : null
    this.#state.value = lost === null ? state : { ...state, _tag: "empty", lost }
  }
}
