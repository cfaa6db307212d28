import type { FileHandle } from "node:fs/promises"
import * as fs from "node:fs/promises"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as fc from "fast-check"
import { Effect } from "effect"
import { assert, describe, it, vi } from "@effect/vitest"
import { codeOf, FileWriter, isFull, readAt, writeAt } from "../../../src/adapters/node/DurableFile.ts"
import * as FileLock from "../../../src/adapters/node/FileLock.ts"
import { bytesOf } from "../../kits/blobs/ArrivingBlobs.ts"
import { folder } from "../../kits/Disks.ts"

/** A file in memory of a system that takes and gives a few bytes at a time, as any system may. */
const slowFile = (most: number) => {
  const stored = new Uint8Array(10_000)
  let length = 0
  const handle = {
    writev: async (parts: ReadonlyArray<Uint8Array>, position: number) => {
      assert.isAtMost(parts.length, 1024)
      const bytes = Buffer.concat(parts).subarray(0, most)
      stored.set(bytes, position)
      length = Math.max(length, position + bytes.length)
      return { bytesWritten: bytes.length, buffers: parts }
    },
    read: async (buffer: Uint8Array, offset: number, count: number, position: number) => {
      const bytes = stored.subarray(position, Math.min(length, position + Math.min(count, most)))
      buffer.set(bytes, offset)
      return { bytesRead: bytes.length, buffer }
    }
  }
  return { handle: handle as Partial<FileHandle> as FileHandle, content: () => stored.subarray(0, length) }
}

describe("a file", () => {
  it("is written and read whole, however little the system takes at a time", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 50 }),
        async (parts, most) => {
          const { content, handle } = slowFile(most)
          await writeAt(handle, parts, 0)
          const all = Buffer.concat(parts)
          assert.isTrue(all.equals(content()))
          const buffer = new Uint8Array(all.length + 10)
          assert.strictEqual(await readAt(handle, buffer, 0), all.length)
          assert.isTrue(all.equals(buffer.subarray(0, all.length)))
        }
      )
    ))

  it("may be written in more parts than a system takes in one call", async () => {
    const { content, handle } = slowFile(Infinity)
    await writeAt(
      handle,
      Array.from({ length: 3_000 }, (_, i) => Uint8Array.of(i)),
      0
    )
    assert.deepEqual(
      content(),
      Uint8Array.from({ length: 3_000 }, (_, i) => i)
    )
  })

  it.live("is written from pieces of any size, whose memory is used again", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "file")
      yield* Effect.promise(async () => {
        const bytes = bytesOf(5_000_000, 1)
        const handle = await fs.open(path, "w+")
        const writer = new FileWriter(handle)
        for (let at = 0, length = 1; at < bytes.length; at += length, length = Math.min(length * 3, 3_000_000)) {
          const piece = bytes.slice(at, at + length)
          await writer.write(piece)
          piece.fill(0)
        }
        assert.strictEqual(writer.length, bytes.length)
        await writer.finish()
        assert.isTrue(readFileSync(path).equals(bytes))
        await handle.close()
      })
    })
  )

  it.runIf(existsSync("/dev/full"))("tells who writes to a full disk, at the latest at the end", async () => {
    for (const size of [10, 1_048_576, 5_000_000]) {
      const handle = await fs.open("/dev/full", "w")
      const writer = new FileWriter(handle)
      const failure = await (async () => {
        await writer.write(new Uint8Array(size))
        await writer.finish()
      })().catch((cause: unknown) => cause)
      assert.isTrue(isFull(failure), codeOf(failure))
      await handle.close()
    }
  })
})

describe("FileLock", () => {
  it.live("is held once, in one process or more, and leaves no file", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "lock")
      for (let round = 0; round < 3; round++) {
        const lock = FileLock.acquire(path)
        assert.isTrue(lock?.exact)
        assert.isUndefined(FileLock.acquire(path))
        assert.strictEqual(statSync(path).mode & 0o777, 0o600)
        lock?.release()
        assert.isFalse(existsSync(path))
      }
      // What somebody left, whatever it is.
      writeFileSync(path, "no lock of ours")
      FileLock.acquire(path)?.release()
      assert.isFalse(existsSync(path))
    })
  )

  it.live("is held once in this process, and says no more, where the runtime has no locks", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "lock")
      const { getBuiltinModule } = process
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          process.getBuiltinModule = getBuiltinModule
          vi.resetModules()
        })
      )
      vi.resetModules()
      Object.assign(process, { getBuiltinModule: undefined })
      const plain = yield* Effect.promise(() => import("../../../src/adapters/node/FileLock.ts"))
      const lock = plain.acquire(path)
      assert.isFalse(lock?.exact)
      assert.isUndefined(plain.acquire(path))
      lock?.release()
      plain.acquire(path)?.release()
      assert.isFalse(existsSync(path))
    })
  )
})
