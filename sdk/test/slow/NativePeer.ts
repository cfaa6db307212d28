/** The native iroh-blobs peer as a child process: JSON on its output, gone when its input ends. */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import * as readline from "node:readline"
import { promisify } from "node:util"
import { Effect, Result } from "effect"
import { KeyAdmission } from "@kez-chat/sdk/protocol"
import type { Addresses } from "@kez-chat/sdk/services"

const run = promisify(execFile)

/** How reading from a peer ended: `code` where the peer gave one. */
interface End {
  readonly end: "finished" | "notFound" | "mismatch" | "reset" | "closed" | "open" | "lost"
  readonly code?: number
  readonly error?: string
}

export interface Fetched extends End {
  /** As the provider said; null where it said nothing. */
  readonly size: number | null
  /** Of the bytes that were verified, and how many they are. */
  readonly blake3: string
  readonly bytes: number
}

export interface Asked extends End {
  readonly answer: { readonly length: number }
}

export interface Provider {
  readonly key: KeyAdmission.AdmittedKey
  readonly addresses: Addresses
  readonly blobs: ReadonlyArray<{ readonly size: number; readonly hash: string; readonly ticket: string }>
  readonly hashSequence: { readonly hash: string; readonly ticket: string }
}

export interface Where {
  readonly key: KeyAdmission.AdmittedKey
  readonly addresses: Addresses
}

/** A peer without direct addresses is asked over its relay. */
const words = ({ addresses: { direct, relayUrl }, key }: Where) =>
  direct.length > 0 || relayUrl === undefined ? [key.hex, direct.join(",")] : [key.hex, "-", "--relay", relayUrl]

/** The peer at a path; every process that it starts ends with its scope or by itself. */
export const nativePeer = (path: string) => {
  const ask = <A>(args: ReadonlyArray<string>) =>
    Effect.promise(async (signal) => {
      const { stdout } = await run(path, args, { timeout: 60_000, signal })
      return JSON.parse(stdout) as A
    })

  return {
    /** Fetches a blob with the native getter; `boundaries` of chunks, as text. */
    fetch: (from: Where, hash: string, boundaries = "0") =>
      ask<Fetched>(["fetch", ...words(from), hash, "--ranges", boundaries]),

    /** Sends a request as native iroh-blobs writes it, or bytes as they are. */
    ask: (whom: Where, kind: "get" | "sequence" | "child" | "many" | "observe" | "push" | "bytes", what: string) =>
      ask<Asked>(["ask", ...words(whom), kind, what]),

    /** Serves blobs of the bytes i mod 251 until the scope closes; over a relay alone where one is given. */
    serve: (
      sizes: ReadonlyArray<number>,
      { args = [], relayUrl }: { args?: ReadonlyArray<string>; relayUrl?: string } = {}
    ) => {
      const relay = relayUrl === undefined ? [] : ["--relay", relayUrl]
      return Effect.map(
        started<{
          readonly endpoint: string
          readonly addresses: ReadonlyArray<string>
          readonly blobs: Provider["blobs"]
          readonly hashSequence: Provider["hashSequence"]
        }>(path, ["serve", sizes.join(","), ...args, ...relay]),
        ({ addresses, blobs, endpoint, hashSequence }): Provider => ({
          key: Result.getOrThrow(KeyAdmission.admitHex(endpoint)),
          addresses: { direct: addresses, ...(relayUrl === undefined ? {} : { relayUrl }) },
          blobs,
          hashSequence
        })
      )
    },

    /** The URL of a relay on loopback, until the scope closes. */
    relay: Effect.map(started<{ readonly url: string }>(path, ["relay"]), ({ url }) => url)
  }
}

/** The first line of a process that goes on until the scope closes. */
const started = <A>(path: string, args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = spawn(path, args, { stdio: ["pipe", "pipe", "inherit"] })
      const closed = once(child, "close")
      const first = await Promise.race([once(readline.createInterface(child.stdout), "line"), closed])
      return { child, closed, line: JSON.parse(String(first[0])) as A }
    }),
    ({ child, closed }) =>
      Effect.promise(async () => {
        child.stdin.end()
        await closed
      })
  ).pipe(Effect.map(({ line }) => line))
