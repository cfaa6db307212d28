/**
 * The account of this browser, for the thread of a page: no key, no Effect and no WebAssembly. They live in the worker
 * that runs `serveAccount` of `@kez-chat/sdk/web-worker`.
 */
import { clientCalls } from "../../port/ClientCalls.ts"
import { forward } from "../../port/Forward.ts"
import { tagged } from "../../port/PortError.ts"
import type { KezChatClient } from "../../promise/index.ts"
import { accountCalls, type AccountHost, type Home } from "../AccountPort.ts"
import type { AccountState } from "../AccountState.ts"
import { Latest } from "../Latest.ts"
import { Session, type Workers } from "./Session.ts"

export type { CreateStep, HandleStatus, Home, NewAccount, Secret, StorageUse, WordsCheck } from "../AccountPort.ts"
export type { AccountState, BrokenReason, VaultSlot } from "../AccountState.ts"
export type { Workers } from "./Session.ts"

/** The factories are the page's, so that bundlers find the worker's file and Trusted Types admit its address. */
export interface AccountOptions extends Workers {
  /** Number of this build in decimal digits: of two in one browser, the larger holds the account. */
  readonly build: string
}

export interface WebAccount extends Omit<AccountHost, "updates" | "keep"> {
  /** The current state. */
  readonly state: AccountState
  /** States, beginning with the current one, until `close` or the end of the loop. */
  states(): AsyncIterable<AccountState>
  /** The account's client; calls reject with `AccountLocked` unless the state is `open`. */
  readonly client: KezChatClient
  /** Before the home server answered, the name is the host of its URL. */
  readonly home: Home
  /** Whether a reload asks for the secret again. Default false; kept by this browser. */
  askOnReload: boolean
  /** Ends this page's part; an account that other tabs use stays open. */
  close(): void
}

const brokenEnvironment = (): AccountState | undefined => {
  const broken = (reason: "insecure" | "no_storage" | "too_old", detail: string) =>
    ({ _tag: "broken", reason, detail }) as const
  if (!isSecureContext) return broken("insecure", "this page needs https")
  if (!("indexedDB" in globalThis)) return broken("no_storage", "this browser keeps nothing here")
  if (!navigator.locks || !("BroadcastChannel" in globalThis) || !("Worker" in globalThis)) {
    return broken("too_old", "this browser is too old: it lacks Web Locks")
  }
  return undefined
}

/** Resolves when the state is known; a page that cannot have an account gets `broken` and the reason. */
export const openAccount = async (options: AccountOptions): Promise<WebAccount> => {
  const state = new Latest<AccountState>(brokenEnvironment() ?? { _tag: "starting" })
  const session = new Session(options, state)
  if (state.value._tag === "starting") await session.start()

  const locked = () =>
    tagged("AccountLocked", `the account is ${state.value._tag}, not open`, { state: state.value._tag })
  const ended = new AbortController()
  const client = forward(clientCalls, () => {
    if (state.value._tag === "open" && session.connected !== undefined) return session.connected.client
    throw locked()
  })
  const host = forward(accountCalls, () => {
    if (session.connected !== undefined) return session.connected.host
    throw locked()
  })
  // A sleeping tab's connection can be dead without an event: the worker checks it at once.
  const wake = () => {
    if (document.visibilityState === "visible") client.nudge().catch(() => {})
  }
  document.addEventListener("visibilitychange", wake, { signal: ended.signal })
  for (const event of ["pageshow", "online"]) addEventListener(event, wake, { signal: ended.signal })

  const close = () => {
    ended.abort()
    session.close()
  }
  const closeClient = async () => close()
  const { updates: _, keep: __, ...calls } = host
  return {
    ...calls,
    client: { ...client, close: closeClient, [Symbol.asyncDispose]: closeClient },
    get state() {
      return state.value
    },
    states: () => state.values(ended.signal),
    get home() {
      return session.home
    },
    get askOnReload() {
      return session.askOnReload
    },
    set askOnReload(ask) {
      session.askOnReload = ask
    },
    close
  }
}
