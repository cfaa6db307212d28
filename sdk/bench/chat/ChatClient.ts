/** A client of chat.bench.ts in a process of its own. */
import process from "node:process"
import { MemoryVault } from "@kez-chat/sdk/memory"
import { openNode } from "@kez-chat/sdk/node"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { atPace, type Pace } from "./Pace.ts"
import { now, serve } from "./Party.ts"

let opened: KezChatClient | undefined
const client = (): KezChatClient => {
  if (opened === undefined) throw new Error("the client is not open")
  return opened
}

/** When a message with an id came to a state first, and who waits for it. */
class Moments {
  readonly #at = new Map<string, number>()
  readonly #waiting = new Map<string, (at: number) => void>()
  mark(id: string): void {
    if (this.#at.has(id)) return
    const at = now()
    this.#at.set(id, at)
    this.#waiting.get(id)?.(at)
    this.#waiting.delete(id)
  }
  of(id: string): Promise<number> {
    const at = this.#at.get(id)
    return at === undefined ? new Promise((resolve) => this.#waiting.set(id, resolve)) : Promise.resolve(at)
  }
}
const stored = new Moments()
const shown = new Moments()

const watch = async () => {
  for await (const event of client().events()) {
    if (event._tag === "State" && event.message.state !== "queued") stored.mark(event.message.id)
    if (event._tag === "Message") shown.mark(event.message.id)
  }
}

const words = (seed: number) => Mnemonic.fromSeed(new Uint8Array(32).fill(seed))

/** A message from the call of `send` on; times are those of `now`. */
export interface Sent {
  readonly id: string
  readonly start: number
  readonly queued: number
  readonly stored: number
}

const commands = {
  open: async ({ dir, home }: { readonly home: string; readonly dir: string }) => {
    opened = await openNode({ home, dir, vault: MemoryVault.layer })
  },
  create: async ({ handle, seed }: { readonly handle: string; readonly seed: number }) => {
    await client().create({ handle, words: words(seed) })
    watch().catch(() => undefined)
  },
  add: async (handle: string) => void (await client().addContact(handle)),
  send: async ({ pace, text, to }: { readonly to: string; readonly text: string; readonly pace: Pace }) => {
    const sent: Array<Sent> = []
    await atPace(pace, async () => {
      const start = now()
      const { id } = await client().send(to, text)
      const queued = now()
      sent.push({ id, start, queued, stored: await stored.of(id) })
    })
    return sent
  },
  shown: (ids: ReadonlyArray<string>) => Promise.all(ids.map((id) => shown.of(id))),
  drain: async ({ from, seed }: { readonly seed: number; readonly from: string }) => {
    globalThis.gc?.()
    const before = process.memoryUsage.rss()
    let peak = before
    const meter = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50)
    const start = now()
    await client().restore({ words: words(seed) })
    await client().sync()
    const seconds = (now() - start) / 1_000
    clearInterval(meter)
    let held = 0
    for (let after = 0; ;) {
      const page = await client().history(from, { after, limit: 500 })
      const last = page.at(-1)
      if (last === undefined) break
      held += page.length
      after = last.order
    }
    return { seconds, held, growthMiB: (peak - before) / 2 ** 20 }
  },
  close: async () => {
    await client().close()
  }
}
export type ChatClientCommands = typeof commands

serve(commands)
