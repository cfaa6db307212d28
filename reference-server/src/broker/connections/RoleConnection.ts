/**
 * One of chat-server's own connections to the broker: dialled again for ever, logged in with a static nkey.
 *
 * It redials by itself instead of leaving that to nats.js, so that everything a connection needs (subscriptions, the
 * stream) is set up in one place for the first connection and for every later one.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import { sign } from "node:crypto"
import type { ServerKey } from "../login/Keys.ts"

export interface LinkOptions {
  readonly urls: ReadonlyArray<string>
  /** For the log: `callout`, `gateway sends`, ... */
  readonly role: string
  readonly key: ServerKey
  readonly inboxPrefix?: string
  /** PEM of the authority that signed the broker's certificate, unless a public one did. */
  readonly caFile?: string
  /** Sets the connection up; when it throws, the connection is closed and dialled again. */
  onUp(connection: NatsConnection): Promise<void> | void
  onDown?(): void
  log(level: "info" | "warn", message: string, fields: Readonly<Record<string, unknown>>): void
}

export interface Link {
  /** Present while connected and set up. */
  readonly connection: () => NatsConnection | undefined
  close(): Promise<void>
}

const minDelay = 100
const maxDelay = 2_000

export const open = (options: LinkOptions): Link => {
  const stop = new AbortController()
  let dialled: NatsConnection | undefined
  let up: NatsConnection | undefined
  const run = async () => {
    for (let attempt = 0; !stop.signal.aborted; attempt++) {
      const url = options.urls[attempt % options.urls.length] as string
      let reason: unknown
      try {
        dialled = await dial(options, url)
        if (stop.signal.aborted) break
        await options.onUp(dialled)
        up = dialled
        attempt = 0
        options.log("info", "broker connected", { role: options.role, url })
        reason = await dialled.closed()
      } catch (error) {
        reason = error
      }
      const lost = up !== undefined
      up = undefined
      await dialled?.close().catch(() => undefined)
      dialled = undefined
      if (lost) options.onDown?.()
      if (stop.signal.aborted) break
      // The first failure and every tenth: an outage of an hour is not thousands of lines.
      if (lost || attempt % 10 === 0) {
        options.log("warn", "broker unreachable", { role: options.role, url, reason: text(reason) })
      }
      await pause(Math.min(maxDelay, minDelay * 2 ** Math.min(attempt, 8)) * (0.5 + Math.random() / 2), stop.signal)
    }
    await dialled?.close().catch(() => undefined)
  }
  const running = run()
  return {
    connection: () => up,
    close: async () => {
      stop.abort()
      await dialled?.close().catch(() => undefined)
      await running
    }
  }
}

const dial = (options: LinkOptions, url: string): Promise<NatsConnection> =>
  connect({
    servers: [url],
    reconnect: false,
    ignoreClusterUpdates: true,
    name: `kez-chat-server ${options.role}`,
    timeout: 5_000,
    pingInterval: 10_000,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    ...(options.caFile === undefined ? {} : { tls: { caFile: options.caFile } }),
    authenticator: (nonce) => ({
      nkey: options.key.publicNkey,
      sig: nonce === undefined ? "" : sign(null, Buffer.from(nonce), options.key.key).toString("base64url")
    })
  })

const text = (reason: unknown): string => (reason instanceof Error ? reason.message : "connection closed")

const pause = (millis: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener("abort", end)
      resolve()
    }
    const timer = setTimeout(end, millis)
    signal.addEventListener("abort", end)
  })
