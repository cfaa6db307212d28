/** Files over `@kez-chat/iroh-native`, against native iroh-blobs to itself in the same run. */
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { DiskBlobStore } from "@kez-chat/sdk/node"
import { ChunkRanges, type KeyAdmission } from "@kez-chat/sdk/protocol"
import { nativeBench } from "./NativeBench.ts"
import { median, report } from "./Report.ts"
import { type Said, transportOver } from "./transfer-provider.ts"

const mebibytes = 256
const size = mebibytes * 2 ** 20
const rounds = 5

/** MiB/s of a blob fetched and verified, and of one that is kept on disk as well, until it is synchronised. */
const measure = async (peer: KeyAdmission.AdmittedKey, folder: string) => {
  const provider = fork(fileURLToPath(new URL("transfer-provider.ts", import.meta.url)), [String(mebibytes), "native"])
  const [{ addresses = { direct: [] }, hash = "" }] = (await once(provider, "message")) as [Said]
  const fetched: Array<number> = []
  const synced: Array<number> = []
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const endpoint = yield* transportOver("native").open(Redacted.make(new Uint8Array(32).fill(8)))
        const store = yield* DiskBlobStore.make({ folder })
        const answer = endpoint.fetch({ peer, addresses, hash, size, ranges: ChunkRanges.all })
        const kept = Effect.scoped(
          Effect.gen(function* () {
            const partial = yield* store.resume(hash, size)
            yield* Stream.runForEach(answer, partial.write)
            yield* partial.complete
          })
        )
        const rate = Effect.fnUntraced(function* (work: Effect.Effect<void, unknown>) {
          const began = performance.now()
          yield* work
          return mebibytes / ((performance.now() - began) / 1_000)
        })
        for (let round = -1; round < rounds; round++) {
          const both = [yield* rate(Stream.runDrain(answer)), yield* rate(kept)] as const
          yield* store.remove(hash)
          if (round < 0) continue
          fetched.push(both[0])
          synced.push(both[1])
        }
      })
    )
  )
  const ended = once(provider, "exit")
  provider.disconnect()
  await ended
  return { fetched: median(fetched), synced: median(synced) }
}

/** Measures and reports; says how to build the addon where it is missing. */
export const nativeTransfer = async (peer: KeyAdmission.AdmittedKey): Promise<void> => {
  const title = `files: ${mebibytes} MiB over @kez-chat/iroh-native between two processes on loopback, medians of ${rounds}`
  if ((await Effect.runPromise(IrohBlobTransport.available)).binding !== "native") {
    return report(title, [], ["not measured: npm run build:native builds the addon"])
  }
  const folder = mkdtempSync(join(tmpdir(), "kez-bench-"))
  try {
    const ours = await measure(peer, folder)
    const theirs = await nativeBench()
    const against = theirs === undefined ? "" : `; native iroh-blobs to itself ${theirs.fetch.toFixed(0)} MiB/s`
    report(title, [
      { name: "blob fetched and verified", value: ours.fetched, unit: "MiB/s", against: `dropped${against}` },
      {
        name: "the same, kept and synchronised",
        value: ours.synced,
        unit: "MiB/s",
        against: "in the blob store on disk",
        aim: { atLeast: 150 }
      },
      ...(theirs === undefined
        ? []
        : [
            {
              name: "fetched and verified",
              value: ours.fetched / theirs.fetch,
              unit: "x",
              against: "native iroh-blobs to itself, in one process",
              aim: { atLeast: 1 }
            }
          ])
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
}
