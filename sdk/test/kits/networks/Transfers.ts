/** A blob that one host gives to another, with programs that end with the scope. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as process from "node:process"
import * as readline from "node:readline"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import type { Addresses, Path } from "@kez-chat/sdk/services"
import type { Host } from "./Hosts.ts"

const program = fileURLToPath(new URL("NetworkProgram.ts", import.meta.url))

/** What the reader's program printed last. */
export interface Outcome {
  readonly whole?: boolean
  readonly path?: Path
  readonly millis?: number
  readonly error?: string
}

const start = (host: Host, words: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const [command = "", ...args] = host.command(...words)
      return spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] })
    }),
    (child) =>
      Effect.promise(async () => {
        const closed = child.exitCode === null ? once(child, "close") : undefined
        child.stdin.end()
        // A reader that waits for its peer does not look at its input.
        child.kill()
        await closed
      })
  )

const firstLine = async <A>(child: ChildProcess): Promise<A> => {
  const lines = readline.createInterface(child.stdout!)
  const [line] = (await Promise.race([once(lines, "line"), once(child, "close")])) as [unknown]
  return JSON.parse(String(line)) as A
}

/** A relay on a host, over plain HTTP; the port. */
export const startRelay = Effect.fnUntraced(function* (peer: string, host: Host) {
  const child = yield* start(host, [peer, "relay", "--bind", "::"])
  const { url } = yield* Effect.promise(() => firstLine<{ readonly url: string }>(child))
  return Number(new URL(url).port)
})

const node = (...words: ReadonlyArray<string>) => [process.execPath, "--conditions=kez-source", program, ...words]

/** Where the device on `host` that gives a blob of `size` bytes is. */
export const give = Effect.fnUntraced(function* (host: Host, size: number, relay: string) {
  const child = yield* start(host, node("serve", String(size), relay))
  return yield* Effect.promise(() => firstLine<Addresses & Outcome>(child))
})

/** Fetches the blob from `host`. `onPart` is called with the part that is there, from 0 to 1. */
export const take = Effect.fnUntraced(function* (
  host: Host,
  size: number,
  relay: string,
  addresses: Addresses,
  onPart: (have: number) => void = () => {}
) {
  const child = yield* start(host, node("fetch", String(size), relay, JSON.stringify(addresses)))
  return yield* Effect.promise(async () => {
    let last: Outcome = { error: "the program said nothing" }
    for await (const line of readline.createInterface(child.stdout)) {
      const said = JSON.parse(line) as Outcome & { readonly have?: number }
      if (said.have === undefined) last = said
      else onPart(said.have)
    }
    return last
  })
})
