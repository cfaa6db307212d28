/** A file from one person's device to another's: share it, see the offer, fetch it, read it. With Effect. */
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
  yield* chat.create({ handle: `${name}-${run}`, words: Redacted.make(Mnemonic.generate(randomBytes(32))) })
  return chat
})

const program = Effect.gen(function* () {
  const alice = yield* account("alice")
  const bob = yield* account("bob")
  yield* alice.addContact(`bob-${run}`)
  yield* bob.addContact(`alice-${run}`)
  const offers = Stream.filter(bob.events, (event) => event._tag === "Message" && event.message.file !== undefined)
  const offered = yield* Effect.forkScoped(Stream.runHead(offers), { startImmediately: true })
  yield* Effect.forkScoped(alice.serve)
  const bytes = Stream.toAsyncIterable(Stream.make(new TextEncoder().encode("all is well")))
  yield* alice.share({ file: { name: "report.txt", bytes }, with: [`bob-${run}`] })
  const event = Option.getOrThrow(yield* Fiber.join(offered))
  const id = event._tag === "Message" ? event.message.id : ""
  yield* Stream.runForEach(bob.fetch(id), ({ state, haveBytes }) =>
    Console.log(`${state}: ${haveBytes} bytes are here`)
  )
  const text = yield* bob.read(id).pipe(Stream.decodeText(), Stream.mkString)
  yield* Console.log(`bob reads: ${text}`)
})

await Effect.runPromise(Effect.scoped(program))
