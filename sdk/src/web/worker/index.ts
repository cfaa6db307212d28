/**
 * The account of a browser, in a SharedWorker for all its tabs, or in a dedicated Worker where there are none: vault,
 * sealed store, client and connection. Pages connect with `openAccount` of `@kez-chat/sdk/web-page`.
 */
import { AccountWorker } from "./AccountWorker.ts"
import type { Hello } from "../AccountPort.ts"
import type { ServeOptions } from "./HeldAccount.ts"

export type { ServeOptions } from "./HeldAccount.ts"

interface SharedScope {
  addEventListener(type: "connect", listener: (event: MessageEvent<unknown>) => void): void
}

const sharedScope = (): SharedScope | undefined =>
  "onconnect" in globalThis ? (globalThis as unknown as SharedScope) : undefined

/** Serves the account of this browser to every page that connects. Call it once, before anything is awaited. */
export const serveAccount = (options: ServeOptions): void => {
  const shared = sharedScope()
  const worker = new AccountWorker(options, shared === undefined ? () => globalThis.close() : undefined)
  const greet = ({ data }: MessageEvent<Hello>) => worker.admit(data)
  if (shared === undefined) addEventListener("message", greet)
  shared?.addEventListener("connect", ({ ports: [port] }) => {
    port?.addEventListener("message", greet)
    port?.start()
  })
}
