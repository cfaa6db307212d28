/**
 * A program that sends files to itself over Iroh and then has nothing left to do. Prints what came of it.
 *
 * usage: IrohProgram.ts native|compatible
 */
import process from "node:process"
import { Effect, Fiber, Stream } from "effect"
import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { ChunkRanges } from "@kez-chat/sdk/protocol"
import { collect, fetchFrom, isAnswer, library, makeBlob, person } from "../../kits/blobs/Blobs.ts"

const options: IrohBlobTransport.IrohOptions = {
  relay: "direct",
  bind: "127.0.0.1:0",
  ...(process.argv[2] === "native" ? {} : { binding: "compatible" })
}
const { open } = IrohBlobTransport.make(options)
const lonely = IrohBlobTransport.make({ ...options, relay: { urls: ["http://127.0.0.1:9/"] } })
const [alice, bob] = [person(1), person(2)]
const blob = makeBlob(100_000)
const stuck = makeBlob(200_000)

const program = Effect.gen(function* () {
  const [owner, reader] = [yield* open(alice.secret), yield* open(bob.secret)]
  const { provider } = library([blob])
  yield* owner.serve({
    ...provider,
    open: (peer, hash) => (hash === stuck.hash ? Effect.never : provider.open(peer, hash))
  })
  const items = yield* collect(fetchFrom(alice, owner, reader, blob))
  // A fetch that never gets an answer, a dial to nobody, and the wait for a relay that never answers, are under way when
  // everything closes.
  yield* Effect.forkChild((yield* lonely.open(person(4).secret)).addresses, { startImmediately: true })
  const waiting = yield* Effect.forkChild(Stream.runDrain(fetchFrom(alice, owner, reader, stuck)), {
    startImmediately: true
  })
  const addresses = { direct: ["127.0.0.1:9"] }
  yield* Effect.forkChild(
    Stream.runDrain(owner.fetch({ peer: person(3).key, addresses, hash: blob.hash, size: 1, ranges: ChunkRanges.all })),
    { startImmediately: true }
  )
  yield* Fiber.interrupt(waiting)
  return { binding: owner.binding, whole: isAnswer(items, blob, ChunkRanges.all) }
})

const outcome = await Effect.runPromise(
  Effect.scoped(program).pipe(Effect.catch((error) => Effect.succeed({ error: error._tag, message: error.message })))
)
process.stdout.write(JSON.stringify(outcome))
