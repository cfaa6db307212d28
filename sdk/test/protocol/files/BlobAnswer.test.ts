import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { FastBlake3 } from "../../../src/crypto/index.ts"
import { Blake3Tree, BlobAnswer, Bytes, ChunkRanges, type Problem } from "../../../src/protocol/index.ts"
import { fixture, ok } from "../../kits/Accounts.ts"
import { answers } from "../../kits/DecoderKit.ts"

const hasher = await fixture(FastBlake3.load)
const blobOf = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 10)) & 255)
const { groupBytes } = Blake3Tree

const encode = (tree: Blake3Tree.Tree, blob: Uint8Array, ranges: ChunkRanges.ChunkRanges) =>
  Result.gen(function* () {
    const parts: Array<Uint8Array> = []
    for (const result of BlobAnswer.encode(tree, ranges, hasher)) {
      const part = yield* result
      parts.push(
        part.kind === "bytes" ? part.bytes : yield* part.encode(blob.subarray(part.offset, part.offset + part.length))
      )
    }
    return Bytes.concat(...parts)
  })

/** Pushes an answer in pieces and ends it; what came out before a problem, and the problem. */
const decode = (options: Parameters<typeof BlobAnswer.decoder>[0], answer: Uint8Array, piece: number) => {
  const decoder = BlobAnswer.decoder(options)
  const items: Array<BlobAnswer.Verified> = []
  const take = (item: BlobAnswer.Verified) => items.push(item)
  let result: Result.Result<void, Problem.Problem> = Result.succeed(undefined)
  let pushed = 0
  while (pushed < answer.length && Result.isSuccess(result)) {
    result = decoder.push(answer.subarray(pushed, pushed + piece), take)
    pushed += piece
  }
  if (Result.isSuccess(result)) result = decoder.finish()
  return { items, pushed, code: Result.isFailure(result) ? result.failure.code : "accepted", decoder }
}

const size = fc.oneof(
  fc.constantFrom(0, 1, 1023, 1024, 1025, groupBytes - 1, groupBytes, groupBytes + 1, 65_535, 65_536, 65_537),
  fc.nat(300_000)
)
const ranges = fc
  .uniqueArray(fc.nat(310), { maxLength: 8 })
  .map((all) => ok(ChunkRanges.make(all.toSorted((a, b) => a - b))))
const piece = fc.oneof(fc.constantFrom(1_000_000, groupBytes, 64), fc.integer({ min: 500, max: 100_000 }))

describe("Blake3Tree", () => {
  it("KEZ-FIL-014 gives one tree, however a blob arrives", () => {
    fc.assert(
      fc.property(
        size,
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 5 }),
        (length, cuts) => {
          const blob = blobOf(length)
          const builder = Blake3Tree.builder(hasher)
          for (let at = 0, i = 0; at < length; i++) {
            const cut = cuts[i % cuts.length] as number
            builder.push(blob.subarray(at, at + cut))
            at += cut
          }
          const tree = builder.finish()
          assert.deepStrictEqual(tree, Blake3Tree.build(blob, hasher))
          assert.strictEqual(tree.outboard.length, Blake3Tree.outboardLength(length))
        }
      ),
      { numRuns: 60 }
    )
  })

  it("tells which groups of a partial blob hold, from whatever part of the outboard is there", () => {
    const blob = blobOf(9 * groupBytes + 5)
    const tree = Blake3Tree.build(blob, hasher)
    const holds = (outboard: Uint8Array) =>
      [...Blake3Tree.groupValues({ ...tree, outboard })].map(
        (value, i) =>
          value !== undefined &&
          Bytes.equal(hasher(blob.subarray(i * groupBytes, (i + 1) * groupBytes), i * 16, false), value)
      )
    assert.deepStrictEqual(holds(tree.outboard), Array(10).fill(true))
    assert.deepStrictEqual(holds(new Uint8Array(tree.outboard.length)), Array(10).fill(false))
    assert.deepStrictEqual(holds(new Uint8Array(0)), Array(10).fill(false))
    const damaged = tree.outboard.slice()
    damaged[64] = (damaged[64] as number) ^ 1
    assert.deepStrictEqual(holds(damaged), [...Array<boolean>(8).fill(false), true, true])
    const small = Blake3Tree.build(blob.subarray(0, 9), hasher)
    assert.deepStrictEqual([...Blake3Tree.groupValues(small)], [small.hash])
  })
})

describe("BlobAnswer", () => {
  it("KEZ-FIL-015 KEZ-FIL-017 reads what it writes, in pieces of any size", () => {
    fc.assert(
      fc.property(size, ranges, piece, (length, asked, cut) => {
        const blob = blobOf(length)
        const tree = Blake3Tree.build(blob, hasher)
        const { code, decoder, items } = decode(
          { hash: tree.hash, ranges: asked, hasher, size: length },
          ok(encode(tree, blob, asked)),
          cut
        )
        assert.strictEqual(code, "accepted")
        assert.strictEqual(decoder.wanted, 0)
        assert.deepStrictEqual(items[0], { kind: "size", size: length })
        let got = ChunkRanges.empty
        for (const item of items) {
          if (item.kind === "parent") {
            const there = tree.outboard.subarray(item.index * 64, item.index * 64 + 64)
            assert.isTrue(Bytes.equal(item.pair, there))
          } else if (item.kind === "leaf") {
            const { bytes, offset } = item
            assert.isAtMost(bytes.length, groupBytes)
            assert.isTrue(Bytes.equal(bytes, blob.subarray(offset, offset + bytes.length)))
            const chunk = offset / 1024
            got = ChunkRanges.union(got, ChunkRanges.range(chunk, chunk + ChunkRanges.chunkCount(bytes.length)))
          }
        }
        assert.deepStrictEqual(got, ChunkRanges.within(asked, length))
      }),
      { numRuns: 150 }
    )
  })

  it("KEZ-FIL-017 stops a lying provider within one group, wherever it lies", () => {
    const blob = blobOf(150_000)
    const tree = Blake3Tree.build(blob, hasher)
    const options = { hash: tree.hash, ranges: ChunkRanges.all, hasher, size: blob.length }
    const answer = ok(encode(tree, blob, ChunkRanges.all))
    fc.assert(
      fc.property(fc.nat(answer.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const lie = answer.slice()
        lie[at] = (lie[at] as number) ^ bits
        const { code, items, pushed } = decode(options, lie, 1024)
        assert.strictEqual(code, "blob_mismatch")
        assert.isAtMost(pushed, at + groupBytes + 1024)
        for (const item of items) {
          if (item.kind !== "leaf") continue
          assert.isTrue(Bytes.equal(item.bytes, blob.subarray(item.offset, item.offset + item.bytes.length)))
        }
      }),
      { numRuns: 200 }
    )
  })

  it("KEZ-FIL-018 refuses other sizes, truncated and endless answers", () => {
    const blob = blobOf(40_000)
    const tree = Blake3Tree.build(blob, hasher)
    const options = { hash: tree.hash, ranges: ChunkRanges.all, hasher, size: blob.length }
    const answer = ok(encode(tree, blob, ChunkRanges.all))
    for (const end of [0, 7, 8, 71, 72, 73, 20_000, answer.length - 1]) {
      assert.strictEqual(decode(options, answer.subarray(0, end), 1000).code, "blob_incomplete")
    }
    assert.strictEqual(decode(options, Bytes.concat(answer, Uint8Array.of(0)), 1000).code, "blob_mismatch")
    assert.strictEqual(decode(options, Bytes.concat(answer, answer), 1_000_000).code, "blob_mismatch")
    assert.strictEqual(decode({ ...options, size: 40_001 }, answer, 1000).code, "blob_mismatch")
    const { size: _, ...unknown } = options
    assert.strictEqual(decode(unknown, answer, 1000).code, "accepted")
    assert.strictEqual(decode({ ...unknown, maxSize: 40_000 }, answer, 1000).code, "accepted")
    assert.strictEqual(decode({ ...unknown, maxSize: 39_999 }, answer, 1000).code, "blob_mismatch")
    // A size that is claimed is proven by the last chunk at the latest.
    const claims = answer.slice()
    new DataView(claims.buffer).setBigUint64(0, 40_001n, true)
    assert.notStrictEqual(decode(unknown, claims, 1000).code, "accepted")
    new DataView(claims.buffer).setBigUint64(0, 2n ** 63n, true)
    assert.strictEqual(decode(unknown, claims, 1000).code, "blob_mismatch")
  })

  it("says no more after a failure and hands out what was verified before it", () => {
    const blob = blobOf(groupBytes * 3)
    const tree = Blake3Tree.build(blob, hasher)
    const answer = ok(encode(tree, blob, ChunkRanges.all))
    answer[answer.length - 1] = (answer[answer.length - 1] as number) ^ 1
    const options = { hash: tree.hash, ranges: ChunkRanges.all, hasher, size: blob.length }
    const { code, decoder, items } = decode(options, answer, answer.length)
    assert.strictEqual(code, "blob_mismatch")
    assert.strictEqual(items.filter(({ kind }) => kind === "leaf").length, 2)
    assert.isTrue(Result.isFailure(decoder.push(answer, () => assert.fail("took more"))))
    assert.isTrue(Result.isFailure(decoder.finish()))
    assert.strictEqual(decoder.wanted, 0)
  })

  it("answers every input", () => {
    const tree = Blake3Tree.build(blobOf(20_000), hasher)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), ranges, fc.integer({ min: 1, max: 99 }), (bytes, asked, cut) => {
        const decoder = BlobAnswer.decoder({ hash: tree.hash, ranges: asked, hasher, maxSize: 1e9 })
        answers((input: Uint8Array) => decoder.push(input.subarray(0, cut), () => undefined), bytes)
        answers(() => decoder.finish(), bytes)
      })
    )
  })

  it("KEZ-FIL-016 sends nothing that its own copy has wrong", () => {
    const blob = blobOf(100_000)
    const tree = Blake3Tree.build(blob, hasher)
    const rotten = blob.slice()
    rotten[70_000] = (rotten[70_000] as number) ^ 1
    const codeOf = (result: Result.Result<unknown, Problem.Problem>) =>
      Result.isFailure(result) ? result.failure.code : "accepted"
    assert.strictEqual(codeOf(encode(tree, rotten, ChunkRanges.all)), "blob_mismatch")
    assert.strictEqual(codeOf(encode(tree, rotten, ChunkRanges.range(65, 66))), "blob_mismatch")
    assert.strictEqual(codeOf(encode(tree, rotten, ChunkRanges.range(0, 64))), "accepted")
    assert.strictEqual(codeOf(encode(tree, blob.subarray(0, 99_999), ChunkRanges.all)), "blob_mismatch")
    const outboard = tree.outboard.slice(0, -1)
    assert.strictEqual(codeOf(encode({ ...tree, outboard }, blob, ChunkRanges.all)), "blob_mismatch")
    assert.strictEqual(codeOf(encode({ ...tree, hash: new Uint8Array(32) }, blob, ChunkRanges.all)), "blob_mismatch")
  })
})
