/** Two people at one home: make accounts, meet, send a message, see it arrive. With Effect. */
import { KezChat } from "@kez-chat/sdk"
import { layer } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { Console, Context, Effect, Fiber, Layer, Option, Redacted, Stream } from "effect"
import { randomBytes } from "node:crypto"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const home = process.env["KEZ_HOME"] ?? "http://127.0.0.1:8080"
const folder = mkdtempSync(join(tmpdir(), "kez-example-"))
const run = randomBytes(4).toString("hex")

const account = Effect.fn(function* (name: string) {
  const dir = join(folder, name)
  const context = yield* Layer.build(layer({ home, dir, passphrase: "a passphrase of one's own" }))
  const chat = Context.get(context, KezChat)
  // Show the words to the person, and let them write them down, before this call.
  const words = Redacted.make(Mnemonic.generate(randomBytes(32)))
  yield* chat.create({ handle: `${name}-${run}`, words })
  return chat
})

const program = Effect.gen(function* () {
  const alice = yield* account("alice")
  const bob = yield* account("bob")
  yield* alice.addContact(`bob-${run}`)
  yield* bob.addContact(`alice-${run}`)
  const messages = Stream.filter(bob.events, (event) => event._tag === "Message")
  const arrived = yield* Effect.forkScoped(Stream.runHead(messages), { startImmediately: true })
  yield* alice.send(`bob-${run}`, "hello, bob")
  const { contact, message } = Option.getOrThrow(yield* Fiber.join(arrived))
  yield* Console.log(`${contact.handle}: ${message.text}`)
})

await Effect.runPromise(Effect.scoped(program))
