/** A bot that answers everybody with their own words. Its account lives in a folder; start it again and it goes on. */
import { openNode } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"

const { KEZ_HOME: home = "http://127.0.0.1:8080", BOT_DIR: dir = "echo-bot", BOT_HANDLE: handle = "echo" } = process.env
const passphrase = process.env["BOT_PASSPHRASE"] ?? "not a secret: set BOT_PASSPHRASE"

await using bot = await openNode({ home, dir, passphrase })
const stop = new AbortController()
process.once("SIGTERM", () => stop.abort()).once("SIGINT", () => stop.abort())

const account = await bot.account().catch(async (error) => {
  if (error._tag !== "NoAccount") throw error
  const words = Mnemonic.generate(randomBytes(32))
  writeFileSync(join(dir, "words"), `${words}\n`, { mode: 0o600 })
  return bot.create({ handle, words })
})
console.log(`${account.handle} listens`)

try {
  for await (const event of bot.events({ signal: stop.signal })) {
    if (event._tag === "Request") await bot.accept(event.contact.primary)
    if ((event._tag === "Request" || event._tag === "Message") && event.message.direction === "in") {
      await bot.send(event.contact.primary, event.message.text)
    }
  }
} catch (error) {
  if (!stop.signal.aborted) throw error
}
