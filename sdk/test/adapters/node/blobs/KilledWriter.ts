/** A process that writes blobs and is killed with SIGKILL, again and again, and what must be there afterwards. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { assert } from "@effect/vitest"
import { FastBlake3 } from "@kez-chat/sdk/crypto"
import { DiskBlobStore } from "@kez-chat/sdk/node"
import { BlobStoreError } from "@kez-chat/sdk/services"
import { ChunkRanges } from "@kez-chat/sdk/protocol"
import { blobOf } from "../../../kits/blobs/ArrivingBlobs.ts"

export interface Line {
  readonly have?: ReadonlyArray<number>
  readonly complete?: boolean
  readonly writing?: number
  readonly put?: number
  readonly bytes?: number
  readonly maxRss?: number
}

const script = fileURLToPath(new URL("BlobWriter.ts", import.meta.url))

/** Runs the writer; kills it when `until` says so of a line. All its lines, and whether it was killed. */
export const runWriter = async (
  task: "receive" | "put" | "measure",
  folder: string,
  size: number,
  until: (line: Line, index: number) => boolean | Promise<boolean> = () => false
): Promise<{ readonly lines: ReadonlyArray<Line>; readonly killed: boolean }> => {
  const child = spawn(process.execPath, ["--conditions=kez-source", script, task, folder, `${size}`], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const exited = once(child, "exit")
  const lines: Array<Line> = []
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as Line
      lines.push(line)
      if (!child.killed && (await until(line, lines.length))) child.kill("SIGKILL")
    }
  } finally {
    child.kill("SIGKILL")
    await exited
  }
  assert.isTrue(child.signalCode === "SIGKILL" || child.exitCode === 0, `the writer ended with ${child.exitCode}`)
  return { lines, killed: child.signalCode === "SIGKILL" }
}

const isBusy = (folder: string, hash: string, size: number) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const store = yield* DiskBlobStore.make({ folder })
      const error = yield* Effect.flip(Effect.scoped(store.resume(hash, size)))
      return error instanceof BlobStoreError && error.reason === "busy"
    })
  )

/**
 * Receives a blob with a writer that is killed after so many acknowledged writes, once for each number. What was
 * acknowledged is there the next time, and the blob is whole in the end.
 */
export const receiveKilled = async (folder: string, size: number, kills: ReadonlyArray<number>): Promise<void> => {
  const hasher = await Effect.runPromise(FastBlake3.load)
  const { bytes, hash } = blobOf(size, 1, hasher)
  let acknowledged = ChunkRanges.empty
  let told = false
  for (const after of [...kills, Infinity]) {
    let first = true
    const { killed, lines } = await runWriter("receive", folder, size, async ({ have }, index) => {
      if (have !== undefined) {
        const here = { boundaries: have }
        const lost = ChunkRanges.difference(acknowledged, here)
        if (first) assert.deepStrictEqual(lost, ChunkRanges.empty, "what was acknowledged before the kill")
        first = false
        acknowledged = here
      }
      // While it lives, nobody else writes this blob.
      if (!told) assert.isTrue(await isBusy(folder, hash, size))
      told = true
      return index > after
    })
    if (lines.at(-1)?.complete === true) break
    assert.isTrue(killed)
  }
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const store = yield* DiskBlobStore.make({ folder })
        assert.deepStrictEqual(readdirSync(folder), [`${hash}.blob`])
        const blob = yield* store.open(hash)
        assert.isTrue(Buffer.from(bytes).equals(yield* blob.read(0, size)))
      })
    )
  )
}

/** Puts blobs with a writer that is killed in the middle of each; only whole ones are there, and all acknowledged ones. */
export const putKilled = async (folder: string, size: number, kills: ReadonlyArray<number>): Promise<void> => {
  const hasher = await Effect.runPromise(FastBlake3.load)
  let most = 0
  for (const after of kills) {
    const { lines } = await runWriter("put", folder, size, (_, index) => index >= after)
    const acknowledged = lines.flatMap(({ put }) => put ?? [])
    most = Math.max(most, lines.length)
    await Effect.runPromise(
      Effect.gen(function* () {
        const store = yield* DiskBlobStore.make({ folder })
        const found = new Map((yield* store.list).map((info) => [info.hash, info]))
        assert.deepStrictEqual(
          readdirSync(folder).toSorted(),
          [...found.keys()].map((hash) => `${hash}.blob`)
        )
        for (let seed = 0; seed <= most; seed++) {
          const { bytes, hash } = blobOf(size, seed, hasher)
          const info = found.get(hash)
          if (acknowledged.includes(seed)) assert.isDefined(info)
          if (info === undefined) continue
          found.delete(hash)
          assert.isTrue(info.complete)
          const all = yield* Effect.scoped(Effect.flatMap(store.open(hash), (blob) => blob.read(0, size)))
          assert.isTrue(Buffer.from(bytes).equals(all))
        }
        assert.strictEqual(found.size, 0, "blobs that nobody put")
      })
    )
  }
}
