import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { ArrivedChunks, BlobAnswer, Blake3Tree, ChunkRanges } from "@kez-chat/sdk/protocol"

const chunk = 1024

describe("ArrivedChunks", () => {
  it("knows the same groups as a list of all chunks does, in any order of arrival", () => {
    const runs = fc.array(fc.tuple(fc.nat(80), fc.integer({ min: 1, max: 40 })), { maxLength: 30 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 * chunk }), runs, (size, arriving) => {
        const count = ChunkRanges.chunkCount(size)
        const arrived = new ArrivedChunks(size)
        const here = new Set<number>()
        for (const [from, length] of arriving) {
          const start = from % count
          const end = Math.min(start + length, count)
          arrived.add(start * chunk, Math.min(end * chunk, size) - start * chunk)
          for (let i = start; i < end; i++) here.add(i)
          const groups = arrived.groups
          for (let i = 0; i < count; i++) {
            const first = i - (i % Blake3Tree.groupChunks)
            const last = Math.min(first + Blake3Tree.groupChunks, count)
            const isWhole = Array.from({ length: last - first }, (_, at) => first + at).every((at) => here.has(at))
            assert.strictEqual(ChunkRanges.has(groups, i), isWhole)
          }
          assert.isFalse(ChunkRanges.has(groups, count))
          assert.strictEqual(arrived.isWhole, here.size === count)
        }
      })
    )
  })

  it("has the one empty chunk of an empty blob once it has come", () => {
    const arrived = new ArrivedChunks(0)
    assert.isFalse(arrived.isWhole)
    arrived.add(0, 0)
    assert.isTrue(arrived.isWhole)
    assert.deepStrictEqual(arrived.groups, ChunkRanges.range(0, 1))
  })

  it("takes no memory for a size that is only claimed", () => {
    const arrived = new ArrivedChunks(Number.MAX_SAFE_INTEGER)
    arrived.add(2 ** 50, 16 * chunk)
    assert.deepStrictEqual(arrived.groups, ChunkRanges.range(2 ** 40, 2 ** 40 + 16))
  })
})

describe("BlobAnswer.belongs", () => {
  const leaf = (offset: number, length: number, size: number) =>
    BlobAnswer.belongs({ kind: "leaf", offset, bytes: new Uint8Array(length) }, size)
  const parent = (index: number, length: number, size: number) =>
    BlobAnswer.belongs({ kind: "parent", index, pair: new Uint8Array(length) }, size)

  it("knows whole chunks and pairs of a blob from everything else", () => {
    assert.isTrue(leaf(0, 0, 0))
    assert.isTrue(leaf(chunk, 1, chunk + 1))
    assert.isTrue(leaf(0, 2 * chunk, 3 * chunk))
    for (const [offset, length, size] of [
      [0, 1, 0],
      [0, 0, 1],
      [0, chunk - 1, chunk],
      [1, chunk, 3 * chunk],
      [-chunk, chunk, 3 * chunk],
      [2 * chunk, chunk + 1, 3 * chunk],
      [3 * chunk, chunk, 3 * chunk],
      [NaN, chunk, 3 * chunk],
      [Infinity, chunk, 3 * chunk]
    ] as const) {
      assert.isFalse(leaf(offset, length, size), `${length} at ${offset} of ${size}`)
    }
    assert.isTrue(parent(1, 64, 3 * Blake3Tree.groupBytes))
    for (const [index, length, size] of [
      [0, 64, Blake3Tree.groupBytes],
      [2, 64, 3 * Blake3Tree.groupBytes],
      [-1, 64, 3 * Blake3Tree.groupBytes],
      [0.5, 64, 3 * Blake3Tree.groupBytes],
      [0, 63, 3 * Blake3Tree.groupBytes],
      [NaN, 64, 3 * Blake3Tree.groupBytes]
    ] as const) {
      assert.isFalse(parent(index, length, size), `pair ${index} of ${size}`)
    }
  })
})
