import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { Bytes, Encoding, Envelope, Zstd } from "../../../src/protocol/index.ts"
import { alice, bob, ok, run, time } from "../../kits/Accounts.ts"
import { codeOf, fuzzBytes, fuzzText } from "../../kits/DecoderKit.ts"

const claim = await run(alice.signClaim({ subject: "github:chris", createdAt: time }))
const other = await run(bob.signClaim({ subject: "github:bob", createdAt: time }))
const compress = (content: Uint8Array) => new Uint8Array(zstdCompressSync(content))
const compact = (content: Uint8Array) => `kez:z1:${Bytes.toBase64Url(compress(content))}`

describe("Encoding", () => {
  it("KEZ-PRF-005 reads the compact form of its own writer and of a real compressor", () => {
    assert.deepStrictEqual(ok(Encoding.decodeCompact(Encoding.encodeCompact(claim))), claim)
    const small = Encoding.encodeCompact(claim, compress)
    assert.deepStrictEqual(ok(Encoding.decodeCompact(` ${small}\n`)), claim)
    assert.isBelow(small.length, Encoding.encodeCompact(claim).length)
    // The JSON inside need not be JCS.
    const spelled = Bytes.utf8(JSON.stringify(Envelope.toJson(claim), undefined, 2))
    assert.deepStrictEqual(ok(Encoding.decodeCompact(compact(spelled))), claim)
  })

  it("KEZ-PRF-005 refuses other prefixes, alphabets, trailing bits and damaged frames", () => {
    const text = Encoding.encodeCompact(claim, compress)
    for (const wrong of [
      "",
      "kez:z1:",
      text.slice(1),
      text.replace("z1", "z2"),
      `${text}=`,
      `${text}!`,
      text.slice(0, -9)
    ]) {
      assert.strictEqual(codeOf(Encoding.decodeCompact(wrong)), "encoding_malformed", wrong.slice(0, 20))
    }
    const frame = compress(Envelope.encode(claim))
    const twice = `kez:z1:${Bytes.toBase64Url(Bytes.concat(frame, frame))}`
    assert.strictEqual(codeOf(Encoding.decodeCompact(twice)), "encoding_malformed")
  })

  it("KEZ-PRF-006 stops bombs at the cap", () => {
    const bomb = new Uint8Array(zstdCompressSync(new Uint8Array(64 * 1024 * 1024)))
    assert.isBelow(bomb.length, 8192)
    assert.strictEqual(codeOf(Zstd.decompress(bomb, 65_536)), "too_large")
    assert.strictEqual(codeOf(Encoding.decodeCompact(`kez:z1:${Bytes.toBase64Url(bomb)}`)), "too_large")
    assert.strictEqual(codeOf(Encoding.decodeBundle(`kez:zc1:${Bytes.toBase64Url(bomb)}`)), "too_large")
    assert.strictEqual(codeOf(Zstd.decompress(compress(new Uint8Array(65_536)), 65_536)), "accepted")
    assert.strictEqual(codeOf(Zstd.decompress(compress(new Uint8Array(65_537)), 65_536)), "too_large")
    // The same without a declared size: run-length blocks behind a window descriptor.
    const run128k = Uint8Array.of(0b010, 0, 0b10000, 0)
    const undeclared = (blocks: number) =>
      Bytes.concat(
        Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58),
        ...Array.from({ length: blocks }, () => run128k),
        Uint8Array.of(1, 0, 0)
      )
    assert.strictEqual(codeOf(Zstd.decompress(undeclared(32), 4 * 1024 * 1024)), "accepted")
    assert.strictEqual(codeOf(Zstd.decompress(undeclared(33), 4 * 1024 * 1024)), "too_large")
    assert.strictEqual(codeOf(Zstd.decompress(undeclared(100_000), 4 * 1024 * 1024)), "too_large")
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
    assert.strictEqual(codeOf(Zstd.decompress(frame, 65_536)), "encoding_malformed")
  })

  it("does not reserve the memory that a frame asks for", () => {
    // Single segment, eight bytes of content size: 1 TiB declared; and a window of 2 GiB for one byte.
    const declared = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0)
    assert.strictEqual(codeOf(Zstd.decompress(declared, 65_536)), "too_large")
    const window = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0b1001, 0, 0, 0x61)
    assert.deepStrictEqual(ok(Zstd.decompress(window, 65_536)), Uint8Array.of(0x61))
  })

  it("stores and compresses any content without loss", () => {
    for (const length of [0, 1, 131_071, 131_072, 131_073, 300_000]) {
      const content = Uint8Array.from({ length }, (_, i) => (i * 7) ^ (i >> 8))
      assert.deepStrictEqual(ok(Zstd.decompress(Zstd.store(content), 300_000)), content)
      assert.deepStrictEqual(ok(Zstd.decompress(compress(content), 300_000)), content)
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
        assert.deepStrictEqual(ok(Zstd.decompress(frame, 1_000_000)), bytes)
      }),
      { numRuns: 300 }
    )
    // Several blocks that repeat trees and tables and look back into each other.
    const long = Bytes.utf8(
      Array.from({ length: 12_000 }, (_, i) => `{"seq":${i},"hash":"${(i * 2_654_435_761) >>> 0}"}\n`).join("")
    )
    for (const level of [-7, 1, 3, 9, 19]) {
      const frame = new Uint8Array(zstdCompressSync(long, { params: { [constants.ZSTD_c_compressionLevel]: level } }))
      assert.deepStrictEqual(ok(Zstd.decompress(frame, long.length)), long)
      assert.strictEqual(codeOf(Zstd.decompress(frame, long.length - 1)), "too_large")
    }
  })

  it("says of damaged frames what zstd says, or gives what it gives", () => {
    const frame = compress(
      Bytes.utf8(JSON.stringify(Array.from({ length: 60 }, (_, i) => ({ i, name: `name ${i * i}` }))))
    )
    fc.assert(
      fc.property(fc.integer({ min: 6, max: frame.length - 1 }), fc.nat(255), (at, value) => {
        const damaged = frame.with(at, value)
        const ours = Zstd.decompress(damaged, 65_536)
        let theirs: Uint8Array | undefined
        try {
          theirs = new Uint8Array(zstdDecompressSync(damaged, { maxOutputLength: 65_536 }))
        } catch {
          theirs = undefined
        }
        assert.strictEqual(ours._tag === "Success", theirs !== undefined)
        if (ours._tag === "Success") assert.deepStrictEqual(ours.success, theirs)
      }),
      { numRuns: 2000 }
    )
  })

  it("KEZ-PRF-007 reads Markdown with JSON or the compact form in its first fence", () => {
    const page = Encoding.encodeMarkdown(claim)
    assert.include(page, `Primary: ${alice.primary}\n`)
    assert.deepStrictEqual(ok(Encoding.decodeMarkdown(page)), claim)
    assert.deepStrictEqual(ok(Encoding.decodeMarkdown(page.replaceAll("\n", "\r\n"))), claim)
    const compactPage = `Hello\n\n\`\`\`kez\n${Encoding.encodeCompact(claim)}\n\`\`\`\n`
    assert.deepStrictEqual(ok(Encoding.decodeMarkdown(compactPage)), claim)
    assert.deepStrictEqual(ok(Encoding.decodeMarkdown(page + Encoding.encodeMarkdown(other))), claim)
    assert.strictEqual(codeOf(Encoding.decodeMarkdown(page.replace(alice.primary, bob.primary))), "envelope_kind")
    assert.strictEqual(codeOf(Encoding.decodeMarkdown("# nothing here")), "encoding_malformed")
    assert.strictEqual(codeOf(Encoding.decodeMarkdown("```kez\n{}")), "encoding_malformed")
    assert.strictEqual(codeOf(Encoding.decodeMarkdown("```kez\n{}\n```")), "envelope_malformed")
  })

  it("KEZ-PRF-008 joins TXT strings with nothing between", () => {
    const strings = Encoding.encodeTxt(claim, compress)
    assert.isTrue(strings.every((string) => string.length <= 255))
    assert.isAbove(strings.length, 1)
    assert.deepStrictEqual(ok(Encoding.decodeTxt(strings)), claim)
    assert.strictEqual(codeOf(Encoding.decodeTxt([strings.join("")])), "encoding_malformed")
    assert.strictEqual(codeOf(Encoding.decodeTxt(strings.toReversed())), "encoding_malformed")
    assert.strictEqual(codeOf(Encoding.decodeTxt([])), "encoding_malformed")
  })

  it("KEZ-PRF-009 reads bundles and JSON Lines", () => {
    const both = [claim, other]
    assert.deepStrictEqual(ok(Encoding.decodeBundle(Encoding.encodeBundle(both))), both)
    assert.deepStrictEqual(ok(Encoding.decodeBundle(Encoding.encodeBundle(both, compress))), both)
    assert.deepStrictEqual(ok(Encoding.decodeLines(`\n${Encoding.encodeLines(both).trimEnd()}`)), both)
    assert.deepStrictEqual(ok(Encoding.decodeLines("")), [])
    assert.strictEqual(codeOf(Encoding.decodeLines("{}\n")), "envelope_malformed")
    assert.strictEqual(codeOf(Encoding.decodeLines(Uint8Array.of(0xff))), "encoding_malformed")
    assert.strictEqual(codeOf(Encoding.decodeLines("x".repeat(4 * 1024 * 1024 + 1))), "too_large")
  })

  it("KEZ-PRF-010 tells the forms apart by their look", () => {
    const forms = [Encoding.encodeCompact(claim), Encoding.encodeMarkdown(claim), Envelope.encodeText(claim)]
    assert.deepStrictEqual(forms.map(Encoding.detect), ["compact", "markdown", "json"])
    for (const form of forms) assert.deepStrictEqual(ok(Encoding.decode(form)), claim)
    assert.strictEqual(Encoding.detect(Encoding.encodeBundle([claim])), "bundle")
    assert.strictEqual(codeOf(Encoding.decode("hello")), "encoding_malformed")
  })

  it("answers whatever it is given", () => {
    fuzzText(Encoding.decode, fc.constantFrom(Encoding.encodeCompact(claim, compress), Encoding.encodeMarkdown(claim)))
    fuzzText(Encoding.decodeBundle, fc.constant(Encoding.encodeBundle([claim, other], compress)))
    fuzzBytes(
      (input) => Zstd.decompress(input, 1000),
      fc.uint8Array({ maxLength: 300 }).map((content) => compress(Bytes.concat(content, content)))
    )
  })
})
