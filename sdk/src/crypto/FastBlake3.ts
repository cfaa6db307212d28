/**
 * BLAKE3 subtrees on WebAssembly (hash-wasm), about five times as fast as plain TypeScript.
 *
 * hash-wasm hashes whole inputs only, but it saves and loads its state, which has the layout of BLAKE3's C reference
 * implementation. Loaded with a chunk counter, the state after a complete subtree holds the chaining values of its two
 * halves. On load the results are compared once with the plain implementation; if a release changes the layout, or
 * WebAssembly is forbidden (by a page's content security policy), the plain one is used.
 */
import * as Effect from "effect/Effect"
import type { IHasher } from "hash-wasm"
import * as Blake3 from "../protocol/files/Blake3.ts"
import { groupBytes, groupChunks } from "../protocol/files/Blake3Tree.ts"
import * as Bytes from "../protocol/encoding/Bytes.ts"

// Layout of the saved state: build tag 4, key 32, chaining value 32, chunk counter u64 little-endian, buffer 64, three
// bytes and padding 5, then the stack: its length in one byte, followed by its values.
const counterAt = 4 + 32 + 32
const stackAt = counterAt + 8 + 64 + 8 + 1

/** A hasher on a WebAssembly instance. All calls are synchronous, so one instance can be shared. */
const over = (wasm: IHasher): Blake3.SubtreeHash => {
  const start = wasm.init().save().slice()
  const view = new DataView(start.buffer)
  const begin = (chunk: number): IHasher => {
    view.setUint32(counterAt, chunk % 0x1_0000_0000, true)
    view.setUint32(counterAt + 4, Math.floor(chunk / 0x1_0000_0000), true)
    return wasm.load(start)
  }
  const subtree: Blake3.SubtreeHash = (bytes, startChunk, isRoot) => {
    if (isRoot) return begin(startChunk).update(bytes).digest("binary")
    const chunks = Math.ceil(bytes.length / Blake3.chunkBytes)
    if (chunks <= 1) return Blake3.subtree(bytes, startChunk, false)
    const left = Blake3.leftChunks(chunks)
    const middle = left * Blake3.chunkBytes
    if (bytes.length === 2 * middle && chunks <= groupChunks) {
      const state = begin(startChunk).update(bytes).save()
      const right = stackAt + Blake3.hashBytes
      return Blake3.parent(state.subarray(stackAt, right), state.subarray(right, right + Blake3.hashBytes), false)
    }
    return Blake3.parent(
      subtree(bytes.subarray(0, middle), startChunk, false),
      subtree(bytes.subarray(middle), startChunk + left, false),
      false
    )
  }
  return subtree
}

/** Whether a hasher agrees with the plain one where its state is read: at the start of a blob and far into it. */
const agrees = (hasher: Blake3.SubtreeHash): boolean => {
  const sample = Uint8Array.from({ length: groupBytes }, (_, i) => i % 251)
  return [0, groupChunks, 2 ** 33].every(
    (chunk) =>
      Bytes.equal(hasher(sample, chunk, false), Blake3.subtree(sample, chunk, false)) &&
      Bytes.equal(hasher(sample, 0, true), Blake3.subtree(sample, 0, true))
  )
}

const instantiate = async (): Promise<Blake3.SubtreeHash> => {
  try {
    const { createBLAKE3 } = await import("hash-wasm")
    const hasher = over(await createBLAKE3())
    return agrees(hasher) ? hasher : Blake3.subtree
  } catch {
    return Blake3.subtree
  }
}

let loading: Promise<Blake3.SubtreeHash> | undefined

/** The fastest hasher of this platform. Loads once, taking a few tens of milliseconds. Never fails. */
export const load: Effect.Effect<Blake3.SubtreeHash> = Effect.promise(() => (loading ??= instantiate()))
