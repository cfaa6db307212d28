/** A file from one person's device to another's: share it, see the offer, fetch it, save it. With promises. */
import { fetchTo, openNode, sharePath } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { randomBytes } from "node:crypto"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const home = process.env["KEZ_HOME"] ?? "http://127.0.0.1:8080"
const folder = mkdtempSync(join(tmpdir(), "kez-example-"))
const run = randomBytes(4).toString("hex")

const account = async (name: string) => {
  const chat = await openNode({ home, dir: join(folder, name), passphrase: "a passphrase of one's own" })
  await chat.create({ handle: `${name}-${run}`, words: Mnemonic.generate(randomBytes(32)) })
  return chat
}

await using alice = await account("alice")
await using bob = await account("bob")
await alice.addContact(`bob-${run}`)
await bob.addContact(`alice-${run}`)

const offered = (async () => {
  for await (const event of bob.events()) if (event._tag === "Message" && event.message.file) return event.message
})()
const report = join(folder, "report.txt")
writeFileSync(report, "all is well")
await sharePath(alice, report, { with: [`bob-${run}`] })
void alice.serve()

const offer = await offered
console.log(`bob is offered ${offer?.text}, ${offer?.file?.size} bytes`)
const { path, size } = await fetchTo(bob, offer!.id, { folder: tmpdir(), name: `report-${run}.txt` })
console.log(`saved as ${path}, ${size} bytes`)
