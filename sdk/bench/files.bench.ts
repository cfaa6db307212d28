/**
 * A file encrypted and hashed in one pass, against the two primitives it cannot do without: node:crypto's
 * ChaCha20-Poly1305 over its chunks and hash-wasm's BLAKE3 over the blob as a whole. CPU time, in turns in one process.
 */
import * as NodeApi from "node:crypto"
import process from "node:process"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { FastBlake3, SealedFile } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Blake3Tree } from "@kez-chat/sdk/protocol"
import { createBLAKE3 } from "hash-wasm"
import { nativeBench } from "./NativeBench.ts"
import { median, report } from "./Report.ts"

const mebibytes = 64
const chunk = NodeApi.randomBytes(65_536)
const chunks = mebibytes * 16
const runtime = ManagedRuntime.make(NodeCrypto.layer)
const hasher = await runtime.runPromise(FastBlake3.load)
const key = await runtime.runPromise(SealedFile.makeKey)
const whole = await createBLAKE3()
const cipherKey = NodeApi.createSecretKey(NodeApi.randomBytes(32))

const sides = {
  file: () =>
    runtime.runPromise(
      SealedFile.encrypt(
        key,
        Stream.map(Stream.range(1, chunks), () => chunk),
        hasher,
        () => Effect.void
      )
    ),
  tree: () => {
    const tree = Blake3Tree.builder(hasher)
    for (let i = 0; i < chunks; i++) tree.push(chunk)
    tree.finish()
  },
  blake3: () => {
    whole.init()
    for (let i = 0; i < chunks; i++) whole.update(chunk)
    whole.digest("binary")
  },
  aead: () => {
    for (let i = 0; i < chunks; i++) {
      const cipher = NodeApi.createCipheriv("chacha20-poly1305", cipherKey, new Uint8Array(12), { authTagLength: 16 })
      cipher.update(chunk)
      cipher.final()
      cipher.getAuthTag()
    }
  }
}

const seconds: Record<keyof typeof sides, Array<number>> = { file: [], tree: [], blake3: [], aead: [] }
for (let round = -1; round < 9; round++) {
  for (const side of Object.keys(sides) as Array<keyof typeof sides>) {
    const before = process.cpuUsage()
    await sides[side]()
    const { system, user } = process.cpuUsage(before)
    if (round >= 0) seconds[side].push((user + system) / 1e6)
  }
}
const { rss } = process.memoryUsage()
await runtime.dispose()

const of = (side: keyof typeof sides) => median(seconds[side])
const rate = (side: keyof typeof sides) => Math.round(mebibytes / of(side))
report("files: encrypt and hash", [
  {
    name: "file to blob and tree",
    value: (of("aead") + of("blake3")) / of("file"),
    unit: "x",
    against: `its primitives (${rate("file")} MiB/s; ${rate("aead")} and ${rate("blake3")})`
  },
  {
    name: "tree of groups",
    value: of("blake3") / of("tree"),
    unit: "x",
    against: `BLAKE3 as a whole (${rate("tree")} of ${rate("blake3")} MiB/s)`
  },
  { name: "resident memory", value: rss / 2 ** 20, unit: "MiB", against: "the whole process, at the end" }
])

const native = await nativeBench()
report(
  "files: native iroh-blobs, from and to itself",
  native === undefined
    ? []
    : [
        {
          name: "blob fetched and verified",
          value: native.fetch,
          unit: "MiB/s",
          against: "over loopback, one process"
        },
        { name: "stream of bytes", value: native.stream, unit: "MiB/s", against: "the same, nothing done to the bytes" }
      ],
  native === undefined ? ["not measured: conformance/peers/iroh was not built here"] : []
)
