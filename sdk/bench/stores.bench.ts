/**
 * What files cost on one device beside encryption: a blob taken in by the store on disk against the same bytes written and
 * synchronised by Node, the check of a partial blob against BLAKE3 over its bytes; and a large manifest, built and read.
 */
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { open, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { FastBlake3, Identity, SealedManifest } from "@kez-chat/sdk/crypto"
import { DiskBlobStore, NodeCrypto } from "@kez-chat/sdk/node"
import { Blake3, Blake3Tree, Bytes, ChunkRanges, type Manifest, Ticket } from "@kez-chat/sdk/protocol"
import { median, report } from "./Report.ts"

const mebibytes = 64
const size = mebibytes * 2 ** 20
const pieceBytes = 65_536
const folder = mkdtempSync(join(tmpdir(), "kez-bench-"))
const runtime = ManagedRuntime.make(NodeCrypto.layer)
const hasher = await runtime.runPromise(FastBlake3.load)

const bytes = randomBytes(size)
const tree = Blake3Tree.build(bytes, hasher)
const hash = Bytes.toHex(tree.hash)
const pieces = Array.from({ length: size / pieceBytes }, (_, i) => bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes))

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await work()
  return performance.now() - began
}

const store = await runtime.runPromise(DiskBlobStore.make({ folder: join(folder, "blobs") }))
const put = () =>
  runtime.runPromise(store.put((write) => Effect.as(Effect.forEach(pieces, write, { discard: true }), { tree })))
const plain = async () => {
  const handle = await open(join(folder, "plain"), "w")
  for (const piece of pieces) await handle.write(piece)
  await handle.sync()
  await handle.close()
}
/** A partial blob that has arrived whole, and is opened again as after a restart. */
const arrive = Effect.scoped(
  Effect.gen(function* () {
    const partial = yield* store.resume(hash, size)
    for (const step of Blake3Tree.steps(size, ChunkRanges.all, true)) {
      if (step.kind === "leaf") {
        const offset = step.start * Blake3.chunkBytes
        yield* partial.write([{ kind: "leaf", offset, bytes: bytes.subarray(offset, step.end * Blake3.chunkBytes) }])
      } else if (step.index !== undefined) {
        const at = step.index * Blake3Tree.pairBytes
        const pair = tree.outboard.subarray(at, at + Blake3Tree.pairBytes)
        yield* partial.write([{ kind: "parent", index: step.index, pair }])
      }
    }
  })
)
const check = () => runtime.runPromise(Effect.scoped(store.resume(hash, size)))
const hashed = async () => Blake3Tree.build(bytes, hasher)

const millis = {
  put: [] as Array<number>,
  plain: [] as Array<number>,
  check: [] as Array<number>,
  hashed: [] as Array<number>
}
for (let round = -1; round < 5; round++) {
  const sample = { put: await timed(put), plain: await timed(plain) }
  await runtime.runPromise(store.remove(hash))
  await rm(join(folder, "plain"))
  if (round < 0) continue
  millis.put.push(sample.put)
  millis.plain.push(sample.plain)
}
await runtime.runPromise(arrive)
for (let round = -1; round < 5; round++) {
  const sample = { check: await timed(check), hashed: await timed(hashed) }
  if (round < 0) continue
  millis.check.push(sample.check)
  millis.hashed.push(sample.hashed)
}
const of = (side: keyof typeof millis) => median(millis[side])
const rate = (side: keyof typeof millis) => Math.round(mebibytes / (of(side) / 1_000))
report(`files: ${mebibytes} MiB in the store on disk`, [
  {
    name: "put, durably",
    value: of("plain") / of("put"),
    unit: "x",
    against: `written and synchronised by Node (${rate("put")} of ${rate("plain")} MiB/s)`
  },
  {
    name: "check of a partial blob",
    value: of("hashed") / of("check"),
    unit: "x",
    against: `its tree hashed in memory (${rate("check")} of ${rate("hashed")} MiB/s)`
  }
])

// A thousand files, each for one of fifty readers.
const seedOf = (n: number) => Redacted.make(new Uint8Array(32).fill(n))
const owner = await runtime.runPromise(Identity.fromSeed(seedOf(1)))
const readers = await runtime.runPromise(
  Effect.all(Array.from({ length: 50 }, (_, i) => Identity.fromSeed(seedOf(100 + i))))
)
const createdAt = Math.floor(Date.now() / 1_000) * 1_000
const fileOf = (n: number): Manifest.SharedFile => {
  const fileHash = randomBytes(32)
  return {
    name: `report ${n}.pdf`,
    mediaType: "application/pdf",
    size: 1_234_567 + n,
    sharedAt: createdAt,
    blobHash: `blake3:${Bytes.toHex(fileHash)}`,
    ticket: Ticket.encode({ endpoint: owner.key, addresses: [], format: "raw", hash: fileHash }),
    contentKey: Redacted.make(Uint8Array.from(randomBytes(32)))
  }
}
const sealOne = (n: number, to: ReadonlyArray<Identity.Identity>) =>
  Effect.flatMap(SealedManifest.makeId, (id) =>
    SealedManifest.sealEntry(
      owner,
      id,
      fileOf(n),
      to.map(({ key }) => key)
    )
  )
const steps = {
  seal: [] as Array<number>,
  sign: [] as Array<number>,
  verify: [] as Array<number>,
  open: [] as Array<number>
}
let bodyBytes = 0
for (let round = -1; round < 3; round++) {
  const sealing = Effect.forEach(
    Array.from({ length: 1_000 }, (_, n) => n),
    (n) => sealOne(n, readers.slice(n % 50, (n % 50) + 1))
  )
  const began = performance.now()
  const entries = await runtime.runPromise(sealing)
  const sealedAt = performance.now()
  const { anchor, body } = await runtime.runPromise(
    SealedManifest.sign(owner, { revision: 1, createdAt, entries }, hasher)
  )
  const signedAt = performance.now()
  const { manifest } = await runtime.runPromise(SealedManifest.verify(body, { owner: owner.key, anchor }, hasher))
  const verifiedAt = performance.now()
  for (const reader of readers) {
    const { files } = await runtime.runPromise(SealedManifest.open(reader, manifest))
    if (files.length !== 20) throw new Error(`a reader sees ${files.length} files`)
  }
  const openedAt = performance.now()
  bodyBytes = body.length
  if (round < 0) continue
  steps.seal.push(sealedAt - began)
  steps.sign.push(signedAt - sealedAt)
  steps.verify.push(verifiedAt - signedAt)
  steps.open.push((openedAt - verifiedAt) / readers.length)
}
report("files: a manifest of 1,000 entries for 50 readers, 20 each", [
  { name: "size", value: bodyBytes, unit: "bytes", against: "as it lies at the home; at most 1 MiB" },
  { name: "seal every entry", value: median(steps.seal), unit: "ms", against: "once an entry, when it is shared" },
  { name: "encode and sign", value: median(steps.sign), unit: "ms", against: "at every change" },
  { name: "verify", value: median(steps.verify), unit: "ms", against: "hash, signature and form" },
  { name: "open", value: median(steps.open), unit: "ms", against: "by one reader, mean of all fifty" }
])
await runtime.dispose()
rmSync(folder, { recursive: true, force: true })
