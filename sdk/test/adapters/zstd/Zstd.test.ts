import { constants, zstdCompressSync } from "node:zlib"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { Zstd as NodeZstd } from "../../../src/adapters/node/index.ts"
import { Zstd } from "../../../src/adapters/zstd/index.ts"
import { Bytes } from "../../../src/protocol/index.ts"
import * as ZstdFrame from "../../../src/protocol/sigchain/ZstdFrame.ts"
import { ok } from "../../kits/Accounts.ts"
import { codeOf, fuzzBytes } from "../../kits/DecoderKit.ts"

const { compress } = NodeZstd
const magic = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)
const blockHeader = (type: 0 | 1 | 2, size: number, last: boolean) => {
  const header = (size << 3) | (type << 1) | +last
  return Uint8Array.of(header & 0xff, (header >> 8) & 0xff, header >> 16)
}
const raw = (content: Uint8Array, last = false) => Bytes.concat(blockHeader(0, content.length, last), content)
const run = (size: number, last = false) => Bytes.concat(blockHeader(1, size, last), Uint8Array.of(0x61))
const broken = (last = false) => Bytes.concat(blockHeader(2, 3, last), Uint8Array.of(0xff, 0xff, 0xff))
/** A frame without a size, whose descriptor and window byte are given. */
const frameOf = (descriptor: number, window: number, ...blocks: Array<Uint8Array>) =>
  Bytes.concat(magic, Uint8Array.of(descriptor, window), ...blocks)

describe.each([
  ["node", NodeZstd.decompress],
  ["portable", Zstd.decompress]
])("Zstd (%s)", (_, decompress) => {
  it("KEZ-PRF-006 stops at the cap", () => {
    assert.strictEqual(codeOf(decompress(compress(new Uint8Array(65_536)), 65_536)), "accepted")
    assert.strictEqual(codeOf(decompress(compress(new Uint8Array(65_537)), 65_536)), "too_large")
    // The same without a declared size: run-length blocks behind a window descriptor.
    const run128k = Uint8Array.of(0b010, 0, 0b10000, 0)
    const undeclared = (blocks: number) =>
      Bytes.concat(
        Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58),
        ...Array.from({ length: blocks }, () => run128k),
        Uint8Array.of(1, 0, 0)
      )
    assert.strictEqual(codeOf(decompress(undeclared(32), 4 * 1024 * 1024)), "accepted")
    assert.strictEqual(codeOf(decompress(undeclared(33), 4 * 1024 * 1024)), "too_large")
    assert.strictEqual(codeOf(decompress(undeclared(100_000), 4 * 1024 * 1024)), "too_large")
  })

  it("does not spend the time that a block's matches ask for", () => {
    // 30,000 sequences without literals, each a match of 131,074 bytes: 3.9 GB in 60 KB.
    const count = 30_000
    const bits = new Uint8Array(2 * count + 1).fill(0xff, 0, 2 * count).fill(1, 2 * count)
    const block = Bytes.concat(Uint8Array.of(0, (count >> 8) + 128, count & 0xff, 0x54, 0, 0, 52), bits)
    const header = (block.length << 3) | 0b101
    const frame = Bytes.concat(
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38, header & 0xff, (header >> 8) & 0xff, header >> 16),
      block
    )
    assert.strictEqual(codeOf(decompress(frame, 65_536)), "encoding_malformed")
  })

  it("does not reserve the memory that a frame asks for", () => {
    // Single segment, eight bytes of content size: 1 TiB declared; and a window of 2 GiB for one byte.
    const declared = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0)
    assert.strictEqual(codeOf(decompress(declared, 65_536)), "too_large")
    const window = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0b1001, 0, 0, 0x61)
    assert.deepStrictEqual(ok(decompress(window, 65_536)), Uint8Array.of(0x61))
  })

  it("stores and compresses any content without loss", () => {
    for (const length of [0, 1, 131_071, 131_072, 131_073, 300_000]) {
      const content = Uint8Array.from({ length }, (_, i) => (i * 7) ^ (i >> 8))
      assert.deepStrictEqual(ok(decompress(ZstdFrame.store(content), 300_000)), content)
      assert.deepStrictEqual(ok(decompress(compress(content), 300_000)), content)
    }
  })

  it("decompresses what zstd makes of any content, at every level", () => {
    const words = ["kez", "sigchain", '{"op":"add"}', "ed25519:", "0123456789abcdef", " ", "\u00e9", "a".repeat(70)]
    const repetitive = fc.array(fc.constantFrom(...words), { maxLength: 3000 }).map((all) => Bytes.utf8(all.join("")))
    const skewed = fc
      .array(fc.nat(60), { maxLength: 5000 })
      .map((all) => Uint8Array.from(all, (value) => (value * value) / 60))
    const content = fc.oneof(repetitive, skewed, fc.uint8Array({ maxLength: 3000 }))
    fc.assert(
      fc.property(content, fc.integer({ min: -5, max: 19 }), fc.boolean(), (bytes, level, checksum) => {
        const { ZSTD_c_checksumFlag, ZSTD_c_compressionLevel, ZSTD_c_contentSizeFlag } = constants
        const params = {
          [ZSTD_c_compressionLevel]: level,
          [ZSTD_c_checksumFlag]: +checksum,
          [ZSTD_c_contentSizeFlag]: +!checksum
        }
        const frame = new Uint8Array(zstdCompressSync(bytes, { params }))
        assert.deepStrictEqual(ok(decompress(frame, 1_000_000)), bytes)
      }),
      { numRuns: 300 }
    )
    // Several blocks that repeat trees and tables and look back into each other.
    const long = Bytes.utf8(
      Array.from({ length: 12_000 }, (_, i) => `{"seq":${i},"hash":"${(i * 2_654_435_761) >>> 0}"}\n`).join("")
    )
    for (const level of [-7, 1, 3, 9, 19]) {
      const frame = new Uint8Array(zstdCompressSync(long, { params: { [constants.ZSTD_c_compressionLevel]: level } }))
      assert.deepStrictEqual(ok(decompress(frame, long.length)), long)
      assert.strictEqual(codeOf(decompress(frame, long.length - 1)), "too_large")
    }
  })

  it("answers whatever it is given", () => {
    fuzzBytes(
      (input) => decompress(input, 1000),
      fc.uint8Array({ maxLength: 300 }).map((content) => compress(Bytes.concat(content, content)))
    )
  })
})

describe("both Zstd decoders", () => {
  const verdict = (decompress: typeof Zstd.decompress, bytes: Uint8Array, maxBytes: number) => {
    const result = decompress(bytes, maxBytes)
    return result._tag === "Success" ? Bytes.toHex(result.success) : result.failure.code
  }
  const same = (bytes: Uint8Array, maxBytes = 65_536): string => {
    const found = verdict(Zstd.decompress, bytes, maxBytes)
    assert.strictEqual(found, verdict(NodeZstd.decompress, bytes, maxBytes))
    return found
  }

  it("say the same of windows, checksums, dictionaries, skippable frames and what follows a frame", () => {
    const content = Bytes.utf8("kez kez kez kez kez kez")
    const hex = Bytes.toHex(content)
    for (const window of [0x00, 0x38, 0x58, 0x88, 0x89, 0xa8, 0xb0, 0xff]) {
      assert.strictEqual(same(frameOf(0, window, raw(content, true))), hex, `window ${window}`)
    }
    const checked = new Uint8Array(zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }))
    assert.strictEqual(same(checked), hex)
    assert.strictEqual(same(checked.with(checked.length - 1, (checked.at(-1) as number) ^ 1)), hex)
    const frame = compress(content)
    const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7)
    const refused = {
      empty: new Uint8Array(),
      "dictionary id": Bytes.concat(magic, Uint8Array.of(1, 0x58, 7), raw(content, true)),
      "dictionary id 0": Bytes.concat(magic, Uint8Array.of(1, 0x58, 0), raw(content, true)),
      "reserved bit": frameOf(8, 0x58, raw(content, true)),
      "reserved block": frameOf(0, 0x58, Uint8Array.of(7, 0, 0)),
      "skippable frame": skippable,
      "skippable before": Bytes.concat(skippable, frame),
      "skippable behind": Bytes.concat(frame, skippable),
      twice: Bytes.concat(frame, frame),
      "a byte behind": Bytes.concat(frame, Uint8Array.of(0)),
      "wrong size": frame.with(5, (frame[5] as number) + 1),
      "no last block": frameOf(0, 0x58, raw(content)),
      "block of 128 KiB and a byte": frameOf(0, 0x58, run(131_073, true))
    }
    for (const [what, bytes] of Object.entries(refused)) assert.strictEqual(same(bytes), "encoding_malformed", what)
    for (let length = 0; length < frame.length; length++) {
      assert.strictEqual(same(frame.subarray(0, length)), "encoding_malformed", `${length} bytes`)
    }
  })

  it("say the same at the cap, whatever follows", () => {
    for (const total of [999, 1000, 1001, 1002, 2000, 16_384, 131_072]) {
      const expected = total > 1000 ? "too_large" : Bytes.toHex(new Uint8Array(total).fill(0x61))
      assert.strictEqual(same(frameOf(0, 0x58, run(total, true)), 1000), expected)
      assert.strictEqual(same(frameOf(0, 0x58, run(total), raw(new Uint8Array(), true)), 1000), expected)
      same(frameOf(0, 0x58, run(total), broken(true)), 1000)
      same(frameOf(0, 0x58, run(total), raw(new Uint8Array()), broken(true)), 1000)
      same(frameOf(0, 0x58, run(total), run(1), broken(true)), 1000)
    }
  })

  it("say the same of damaged frames", () => {
    const text = Bytes.utf8(JSON.stringify(Array.from({ length: 60 }, (_, i) => ({ i, name: `name ${i * i}` }))))
    const level = (level: number) =>
      new Uint8Array(zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: level } }))
    const frames = fc.constantFrom(...[-5, 1, 3, 9, 19].map(level))
    const damages = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
      minLength: 1,
      maxLength: 3
    })
    const caps = fc.constantFrom(65_536, text.length, text.length - 1, 1000)
    fc.assert(
      fc.property(frames, damages, caps, (frame, all, cap) => {
        const damaged = Uint8Array.from(frame)
        for (const [place, value] of all) damaged[Math.floor(place * (frame.length - 1))] = value
        // zlib does not check where each of four parallel streams of Huffman codes ends; no compressor makes such frames.
        const portable = Zstd.decompress(damaged, cap)
        const unchecked = portable._tag === "Failure" && portable.failure.detail.includes("Huffman stream")
        if (!unchecked) same(damaged, cap)
      }),
      { numRuns: 4000 }
    )
  })
})
