/**
 * One account in a process of its own, to be killed: `send` writes numbered texts and goes on where its history says it
 * was; `receive` prints every text it is shown. Lines on standard output are JSON.
 *
 * usage: account-process.ts send|receive HOME FOLDER HANDLE PEER COUNT [BURST]
 *
 * With BURST it sends so many at once, and the next ones as soon as these are acknowledged.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { openNode } from "@kez-chat/sdk/node"

const [mode, home, dir, handle, peer, total, atOnce] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string?
]
const burst = Number(atOnce ?? 1)
const count = Number(total)
const say = (line: Readonly<Record<string, unknown>>) => process.stdout.write(`${JSON.stringify(line)}\n`)

const client = await openNode({ home, dir, passphrase: `only for ${handle}` })
process.once("SIGTERM", () => void client.close().then(() => process.exit(0)))

const send = async () => {
  // What was queued before a kill is in the history, whether or not `send` came to return.
  let next = 0
  for (const { direction, text } of await client.history(peer, { limit: 1 })) {
    if (direction === "out") next = Number(text.slice(1)) + 1
  }
  say({ began: next })
  while (next < count) {
    const texts = Array.from({ length: Math.min(burst, count - next) }, (_, index) => `m${next + index}`)
    await Promise.all(texts.map((text) => client.send(peer, text)))
    next += texts.length
    say({ queued: next - 1 })
    // Ten milliseconds apart, so that a kill finds the stream in its middle.
    if (burst === 1) await sleep(10)
  }
  // `flush` fails while the broker is away; the outbox goes on by itself.
  while (true) {
    try {
      await client.flush()
      break
    } catch {
      await sleep(100)
    }
  }
  say({ flushed: count })
}

const receive = async () => {
  say({ began: true })
  for await (const event of client.events()) {
    if (event._tag === "Message" && event.message.direction === "in") say({ shown: event.message.text })
    if (event._tag === "Missed") say({ missed: event.count })
  }
}

await (mode === "send" ? send() : receive())
