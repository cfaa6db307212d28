/**
 * A complete blob in one file: its bytes followed by its outboard. The file's length determines both lengths and its
 * name is the hash, so no other metadata can contradict them; one rename makes the blob appear.
 */
import * as Effect from "effect/Effect"
import type { FileHandle } from "node:fs/promises"
import * as Blake3 from "../../../protocol/files/Blake3.ts"
import { groupBytes, groupCount, outboardLength, pairBytes, type Tree } from "../../../protocol/files/Blake3Tree.ts"
import * as Bytes from "../../../protocol/encoding/Bytes.ts"
import { BlobStoreError, type StoredBlob } from "../../../services/BlobStore.ts"
import { readAt } from "../DurableFile.ts"
import { io } from "./StoreFailure.ts"

/** Bytes of the blob in a file of `length` bytes; undefined if no such file has that length. */
export const blobSize = (length: number): number | undefined => {
  const groups = Math.max(1, Math.ceil(length / (groupBytes + pairBytes)))
  const size = length - (groups - 1) * pairBytes
  return groupCount(size) === groups && size >= 0 ? size : undefined
}

/** Whether the start of a tree matches its hash: enough to detect a different or truncated file. */
const startsWell = async (handle: FileHandle, { hash, outboard, size }: Tree): Promise<boolean> => {
  if (outboard.length > 0) {
    const [left, right] = [outboard.subarray(0, Blake3.hashBytes), outboard.subarray(Blake3.hashBytes, pairBytes)]
    return Bytes.equal(Blake3.parent(left, right, true), hash)
  }
  const bytes = new Uint8Array(size)
  return (await readAt(handle, bytes, 0)) === size && Bytes.equal(Blake3.subtree(bytes, 0, true), hash)
}

/** Reads the tree of an open file; undefined unless it is the whole blob `hash`. */
export const readTree = async (handle: FileHandle, hash: Uint8Array): Promise<Tree | undefined> => {
  const size = blobSize((await handle.stat()).size)
  if (size === undefined) return undefined
  const outboard = new Uint8Array(outboardLength(size))
  if ((await readAt(handle, outboard, size)) !== outboard.length) return undefined
  const tree = { hash, size, outboard }
  return (await startsWell(handle, tree)) ? tree : undefined
}

/** Read-ahead in bytes for sequential reads, as when sending an answer. */
const aheadBytes = 256 * 1024

/** The blob in an open file. */
export const storedBlob = (folder: string, handle: FileHandle, tree: Tree): StoredBlob => {
  let ahead: { readonly start: number; readonly bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) }
  let expected = 0
  const fail = (what: string) =>
    new BlobStoreError({
      reason: "damaged",
      detail: `${what} of the blob ${Bytes.toHex(tree.hash)} of ${tree.size} bytes`
    })

  const load = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length)
    if ((await readAt(handle, bytes, offset)) !== length) throw fail(`the file ends at ${offset}`)
    return bytes
  }
  const read = async (offset: number, length: number, isNext: boolean): Promise<Uint8Array> => {
    if (!isNext || length >= aheadBytes) return load(offset, length)
    const bytes = await load(offset, Math.min(aheadBytes, tree.size - offset))
    ahead = { start: offset, bytes }
    return bytes.slice(0, length)
  }

  return {
    tree,
    read: (offset, length) =>
      Effect.suspend(() => {
        const end = offset + length
        if (!(offset >= 0 && length >= 0 && end <= tree.size)) {
          return Effect.fail(fail(`there are no ${length} bytes at ${offset}`))
        }
        const isNext = offset === expected && offset > 0
        expected = end
        const { bytes, start } = ahead
        return offset >= start && end <= start + bytes.length
          ? Effect.succeed(bytes.slice(offset - start, end - start))
          : io(folder, "read", () => read(offset, length, isNext))
      })
  }
}
