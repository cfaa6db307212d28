/**
 * One account in a process of its own, to be killed: `send` writes numbered texts and goes on where its history says it
 * was; `receive` prints every text it is shown. Lines on standard output are JSON.
 *
 * usage: account-process.ts send|receive HOME FOLDER HANDLE PEER COUNT
 */
import { setTimeout as sleep } from "node:timers/promises"
import { openNode } from "@kez-chat/sdk/node"

const [mode, home, dir, handle, peer, total] = process.argv.slice(2) as [string, string, string, string, string, string]
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
  for (; next < count; next++) {
    await client.send(peer, `m${next}`)
    say({ queued: next })
    // Ten milliseconds apart, so that a kill finds the stream in its middle.
    await sleep(10)
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
