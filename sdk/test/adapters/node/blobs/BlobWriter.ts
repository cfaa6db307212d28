/** Writes blobs until it is killed, and says what it has written after that was acknowledged. Run by KilledWriter.ts. */
import { Effect } from "effect"
import { FastBlake3 } from "@kez-chat/sdk/crypto"
import { DiskBlobStore } from "@kez-chat/sdk/node"
import { answerOf, blobOf, missing } from "../../../kits/blobs/ArrivingBlobs.ts"

const [, , task, folder = "", sizeText] = process.argv
const size = Number(sizeText)
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
const MiB = 1024 * 1024

/** Receives the blob of seed 1, as far as it is not here, four groups at a time. */
const receive = Effect.gen(function* () {
  const hasher = yield* FastBlake3.load
  const store = yield* DiskBlobStore.make({ folder })
  const blob = blobOf(size, 1, hasher)
  const partial = yield* store.resume(blob.hash, size)
  say({ have: partial.have.boundaries })
  const items = answerOf(blob, missing(blob, partial.have), hasher)
  for (let at = 0; at < items.length; at += 8) {
    yield* partial.write(items.slice(at, at + 8))
    say({ have: partial.have.boundaries })
  }
  yield* partial.complete
  say({ complete: true })
})

/** Puts the blobs of seeds from 0 on. */
const put = Effect.gen(function* () {
  const hasher = yield* FastBlake3.load
  const store = yield* DiskBlobStore.make({ folder })
  for (let seed = 0; ; seed++) {
    const { bytes, tree } = blobOf(size, seed, hasher)
    yield* store.put((write) =>
      Effect.gen(function* () {
        for (let at = 0; at < size; at += 65_552) yield* write(bytes.subarray(at, at + 65_552))
        say({ writing: seed })
        return { tree }
      })
    )
    say({ put: seed })
  }
})

/** Puts, reads and completes a blob of 64 MiB and one of `size` bytes; says the most memory it took up to then. */
const measure = Effect.gen(function* () {
  const { Blake3Tree, Bytes } = yield* Effect.promise(() => import("@kez-chat/sdk/protocol"))
  const { promises: fs } = yield* Effect.promise(() => import("node:fs"))
  const hasher = yield* FastBlake3.load
  const store = yield* DiskBlobStore.make({ folder })
  const piece = new Uint8Array(65_536)
  for (const bytes of [64 * MiB, size]) {
    const { tree } = yield* store.put((write) =>
      Effect.gen(function* () {
        const tree = Blake3Tree.builder(hasher)
        for (let at = 0; at < bytes; at += piece.length) {
          piece.fill(at / piece.length)
          tree.push(piece)
          yield* write(piece)
        }
        return { tree: tree.finish() }
      })
    )
    const hash = Bytes.toHex(tree.hash)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const blob = yield* store.open(hash)
        for (let at = 0; at < bytes; at += MiB) yield* blob.read(at, MiB)
      })
    )
    yield* Effect.promise(async () => {
      await fs.rename(`${folder}/${hash}.blob`, `${folder}/${hash}-${bytes}.part`)
      await fs.writeFile(`${folder}/${hash}-${bytes}.tree`, tree.outboard)
    })
    yield* Effect.scoped(Effect.flatMap(store.resume(hash, bytes), ({ complete }) => complete))
    say({ bytes, maxRss: process.resourceUsage().maxRSS * 1024 })
  }
})

const tasks = { receive, put, measure }
await Effect.runPromise(Effect.scoped(tasks[task as keyof typeof tasks]))
