import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { ChunkRanges } from "../../../src/protocol/index.ts"
import { ok } from "../../kits/Accounts.ts"
import { codeOf } from "../../kits/DecoderKit.ts"

const limit = 40
const sets = fc
  .uniqueArray(fc.nat(limit - 5), { maxLength: 9 })
  .map((all) => ok(ChunkRanges.make(all.toSorted((a, b) => a - b))))
const members = (ranges: ChunkRanges.ChunkRanges) =>
  Array.from({ length: limit }, (_, chunk) => ChunkRanges.has(ranges, chunk))

describe("ChunkRanges", () => {
  it("are sets", () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const [inA, inB] = [members(a), members(b)]
        const holds = (of: ChunkRanges.ChunkRanges, rule: (a: boolean, b: boolean) => boolean) => {
          assert.deepStrictEqual(
            members(of),
            inA.map((one, i) => rule(one, inB[i] as boolean))
          )
          ok(ChunkRanges.make(of.boundaries))
        }
        holds(ChunkRanges.union(a, b), (x, y) => x || y)
        holds(ChunkRanges.intersection(a, b), (x, y) => x && y)
        holds(ChunkRanges.difference(a, b), (x, y) => x && !y)
      })
    )
  })

  it("know what they cover and touch", () => {
    fc.assert(
      fc.property(sets, fc.nat(limit - 1), fc.integer({ min: 1, max: 10 }), (ranges, start, length) => {
        const chunks = Array.from({ length }, (_, i) => ChunkRanges.has(ranges, start + i))
        assert.strictEqual(ChunkRanges.covers(ranges, start, start + length), !chunks.includes(false))
        assert.strictEqual(ChunkRanges.touches(ranges, start, start + length), chunks.includes(true))
      })
    )
  })

  it("mean the last chunk where they reach beyond a blob", () => {
    fc.assert(
      fc.property(sets, fc.nat(30 * 1024), (ranges, size) => {
        const count = ChunkRanges.chunkCount(size)
        const within = ChunkRanges.within(ranges, size)
        const beyond = ChunkRanges.touches(ranges, count - 1, Infinity)
        for (let chunk = 0; chunk < count - 1; chunk++) {
          assert.strictEqual(ChunkRanges.has(within, chunk), ChunkRanges.has(ranges, chunk))
        }
        assert.strictEqual(ChunkRanges.has(within, count - 1), beyond)
        assert.isFalse(ChunkRanges.touches(within, count, Infinity))
      })
    )
  })

  it("hold the chunks of bytes", () => {
    assert.deepStrictEqual(ChunkRanges.ofBytes(0, 0).boundaries, [])
    assert.deepStrictEqual(ChunkRanges.ofBytes(1023, 1025).boundaries, [0, 2])
    assert.deepStrictEqual(ChunkRanges.ofBytes(1024, 2048).boundaries, [1, 2])
    assert.deepStrictEqual(ChunkRanges.range(5).boundaries, [5])
    assert.isTrue(ChunkRanges.isEmpty(ChunkRanges.range(5, 5)))
  })

  it("refuse boundaries that do not rise", () => {
    for (const boundaries of [[1, 1], [2, 1], [-1], [0.5], [NaN], [2 ** 53]]) {
      assert.strictEqual(codeOf(ChunkRanges.make(boundaries)), "request_malformed")
    }
  })
})
