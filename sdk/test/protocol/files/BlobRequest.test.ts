import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { BlobRequest, Bytes, ChunkRanges, Limits } from "../../../src/protocol/index.ts"
import { ok } from "../../kits/Accounts.ts"
import { answers } from "../../kits/DecoderKit.ts"

const hash = Uint8Array.from({ length: 32 }, (_, i) => i)
const decoded = (bytes: Uint8Array) => ok(BlobRequest.decode(bytes))
const codeOf = (bytes: Uint8Array) => {
  const result = BlobRequest.decode(bytes)
  return Result.isFailure(result) ? result.failure.code : undefined
}
const get = (...sets: ReadonlyArray<number>) => Bytes.concat(Uint8Array.of(0), hash, Uint8Array.from(sets))

// The largest number stands for the end of every blob, so as the end of a range it means none.
const ranges: fc.Arbitrary<ChunkRanges.ChunkRanges> = fc
  .uniqueArray(fc.oneof(fc.nat(300), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 })), { maxLength: 60 })
  .map((numbers) => ({ boundaries: numbers.toSorted((a, b) => a - b) }))

describe("blob requests", () => {
  it("KEZ-FIL-019 reads what it writes", () => {
    fc.assert(
      fc.property(ranges, (asked) => {
        const request = decoded(BlobRequest.encode(hash, asked))
        assert.deepEqual(request, { kind: "get", hash, ranges: asked, children: false })
      })
    )
  })

  it("writes the last chunk as the largest number there is", () => {
    assert.strictEqual(
      Bytes.toHex(BlobRequest.encode(hash, ChunkRanges.last).subarray(33)),
      "020001ffffffffffffffffff010100"
    )
  })

  it("takes what lies beyond every blob for its last chunk", () => {
    // 2^60 up to 2^61, and chunk 5 up to 2^60.
    const high = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]
    assert.deepInclude(decoded(get(2, 0, 2, ...high, ...high, 1, 0)), { ranges: ChunkRanges.last })
    const upTo = [0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
    assert.deepInclude(decoded(get(2, 0, 2, 5, ...upTo, 1, 0)), { ranges: ChunkRanges.range(5) })
  })

  it.each([
    ["all that it lists", [1, 0, 1, 0], true],
    ["its first child", [2, 1, 1, 0, 1, 0], true],
    ["itself and its first child", [2, 0, 1, 0, 2, 0], true],
    ["itself and its fourth child", [4, 0, 1, 0, 1, 0, 3, 1, 0, 1, 0], true],
    ["children from the fifth on", [1, 5, 1, 0], true],
    ["nothing", [0], false],
    ["itself", [2, 0, 1, 0, 1, 0], false]
  ] as const)("KEZ-FIL-022 tells whether a blob is asked for with what it lists: %s", (_, sets, children) => {
    assert.deepInclude(decoded(get(...sets)), { children })
  })

  it("tells the other kinds apart by their first byte", () => {
    assert.deepEqual(
      [1, 8, 9].map((first) => decoded(Uint8Array.of(first, 200, 200))),
      [{ kind: "observe" }, { kind: "push" }, { kind: "getMany" }]
    )
    for (const first of [2, 3, 4, 5, 6, 7, 10, 128, 255]) {
      assert.strictEqual(codeOf(Uint8Array.of(first)), "request_malformed")
    }
  })

  it.each([
    ["no bytes", new Uint8Array(0)],
    ["a kind alone", Uint8Array.of(0)],
    ["a hash cut short", get(0).subarray(0, 32)],
    ["no sets", get()],
    ["a set cut short", get(2, 0, 2, 1)],
    ["bytes behind the end", get(0, 0)],
    ["a repeated boundary", get(2, 0, 2, 1, 0, 1, 0)],
    ["a repeated set", get(2, 0, 1, 0, 1, 1, 0)],
    ["an item twice", get(2, 0, 1, 0, 0, 0)],
    ["an empty first set", get(1, 0, 0)],
    ["an integer of more bytes than it needs", get(0x80, 0)],
    ["an integer beyond 64 bits", get(2, 0, 1, ...Array.from({ length: 9 }, () => 255), 2, 1, 0)],
    ["an integer without end", get(...Array.from({ length: 30 }, () => 255))],
    ["boundaries beyond 64 bits", get(2, 0, 2, ...Array.from({ length: 9 }, () => 255), 1, 1, 1, 0)]
  ])("refuses %s", (_, bytes) => {
    assert.strictEqual(codeOf(bytes), "request_malformed")
  })

  it("KEZ-FIL-019 has room for as many boundaries as it says, and refuses what is longer", () => {
    const most = { boundaries: Array.from({ length: BlobRequest.maxBoundaries }, (_, i) => i * 2 ** 39) }
    const bytes = BlobRequest.encode(hash, most)
    assert.isAtMost(bytes.length, Limits.blobRequestBytes)
    assert.deepInclude(decoded(bytes), { ranges: most })
    assert.strictEqual(codeOf(new Uint8Array(Limits.blobRequestBytes + 1)), "too_large")
  })

  it("answers whatever it is given", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        answers(BlobRequest.decode, bytes)
        answers(BlobRequest.decode, get(...bytes))
      }),
      { numRuns: 2_000 }
    )
  })

  it("reads no request two ways: what is read of a blob alone is written the same", () => {
    const near = fc.tuple(ranges, fc.nat(400), fc.nat(255)).map(([asked, at, byte]) => {
      const bytes = BlobRequest.encode(hash, asked)
      bytes[at % bytes.length] = byte
      return bytes
    })
    fc.assert(
      fc.property(near, (bytes) => {
        const result = BlobRequest.decode(bytes)
        if (Result.isFailure(result) || result.success.kind !== "get" || result.success.children) return
        const { boundaries } = result.success.ranges
        if (boundaries.some((boundary) => boundary === Number.MAX_SAFE_INTEGER)) return
        const again = BlobRequest.encode(result.success.hash, result.success.ranges)
        if (boundaries.length % 2 === 0 || bytes.length === again.length) assert.deepEqual(again, bytes)
      })
    )
  })
})
