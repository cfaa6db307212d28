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

const words = ({ addresses, key }: Where) => [key.hex, addresses.direct.join(",")]

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
    ask: (
      whom: Where,
      kind: "get" | "sequence" | "child" | "many" | "observe" | "push" | "bytes",
      what: string,
      ...more: ReadonlyArray<string>
    ) => ask<Asked>(["ask", ...words(whom), kind, what, ...more]),

    /** Serves blobs of the bytes i mod 251 until the scope closes. */
    serve: (sizes: ReadonlyArray<number>, ...more: ReadonlyArray<string>) =>
      Effect.acquireRelease(
        Effect.promise(async () => {
          const child = spawn(path, ["serve", sizes.join(","), ...more], { stdio: ["pipe", "pipe", "inherit"] })
          const closed = once(child, "close")
          const first = await Promise.race([once(readline.createInterface(child.stdout), "line"), closed])
          const line = JSON.parse(String(first[0])) as {
            readonly endpoint: string
            readonly addresses: ReadonlyArray<string>
            readonly blobs: Provider["blobs"]
            readonly hashSequence: Provider["hashSequence"]
          }
          const provider: Provider = {
            key: Result.getOrThrow(KeyAdmission.admitHex(line.endpoint)),
            addresses: { direct: line.addresses },
            blobs: line.blobs,
            hashSequence: line.hashSequence
          }
          return { child, closed, provider }
        }),
        ({ child, closed }) =>
          Effect.promise(async () => {
            child.stdin.end()
            await closed
          })
      ).pipe(Effect.map(({ provider }) => provider))
  }
}
