/** Two people at one home: make accounts, meet, send a message, see it arrive. With promises. */
import { openNode } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { randomBytes } from "node:crypto"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const home = process.env["KEZ_HOME"] ?? "http://127.0.0.1:8080"
const folder = mkdtempSync(join(tmpdir(), "kez-example-"))
const run = randomBytes(4).toString("hex")

const account = async (name: string) => {
  const chat = await openNode({ home, dir: join(folder, name), passphrase: "a passphrase of one's own" })
  // Show the words to the person, and let them write them down, before this call.
  await chat.create({ handle: `${name}-${run}`, words: Mnemonic.generate(randomBytes(32)) })
  return chat
}

await using alice = await account("alice")
await using bob = await account("bob")
await alice.addContact(`bob-${run}`)
await bob.addContact(`alice-${run}`)

const arrived = (async () => {
  for await (const event of bob.events()) if (event._tag === "Message") return event
})()
await alice.send(`bob-${run}`, "hello, bob")
const event = await arrived
console.log(`${event?.contact.handle}: ${event?.message.text}`)
