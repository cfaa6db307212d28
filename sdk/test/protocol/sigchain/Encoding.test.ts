import { zstdCompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Zstd } from "../../../src/adapters/node/index.ts"
import { Bytes, Encoding, Envelope } from "../../../src/protocol/index.ts"
import { alice, bob, fixture, ok, time } from "../../kits/Accounts.ts"
import { codeOf, fuzzText } from "../../kits/DecoderKit.ts"

const claim = await fixture(alice.signClaim({ subject: "github:chris", createdAt: time }))
const other = await fixture(bob.signClaim({ subject: "github:bob", createdAt: time }))
const { compress, decompress } = Zstd
const decode = (text: string) => Encoding.decode(text, decompress)
const decodeCompact = (text: string) => Encoding.decodeCompact(text, decompress)
const decodeMarkdown = (text: string) => Encoding.decodeMarkdown(text, decompress)
const decodeTxt = (segments: ReadonlyArray<string>) => Encoding.decodeTxt(segments, decompress)
const decodeBundle = (text: string) => Encoding.decodeBundle(text, decompress)
const compact = (content: Uint8Array) => `kez:z1:${Bytes.toBase64Url(compress(content))}`

describe("Encoding", () => {
  it("KEZ-PRF-005 reads the compact form of its own writer and of a real compressor", () => {
    assert.deepStrictEqual(ok(decodeCompact(Encoding.encodeCompact(claim))), claim)
    const small = Encoding.encodeCompact(claim, compress)
    assert.deepStrictEqual(ok(decodeCompact(` ${small}\n`)), claim)
    assert.isBelow(small.length, Encoding.encodeCompact(claim).length)
    // The JSON inside need not be JCS.
    const spelled = Bytes.utf8(JSON.stringify(Envelope.toJson(claim), undefined, 2))
    assert.deepStrictEqual(ok(decodeCompact(compact(spelled))), claim)
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
      assert.strictEqual(codeOf(decodeCompact(wrong)), "encoding_malformed", wrong.slice(0, 20))
    }
    const frame = compress(Envelope.encode(claim))
    const twice = `kez:z1:${Bytes.toBase64Url(Bytes.concat(frame, frame))}`
    assert.strictEqual(codeOf(decodeCompact(twice)), "encoding_malformed")
  })

  it("KEZ-PRF-006 stops bombs at the cap", () => {
    const bomb = new Uint8Array(zstdCompressSync(new Uint8Array(64 * 1024 * 1024)))
    assert.isBelow(bomb.length, 8192)
    assert.strictEqual(codeOf(decodeCompact(`kez:z1:${Bytes.toBase64Url(bomb)}`)), "too_large")
    assert.strictEqual(codeOf(decodeBundle(`kez:zc1:${Bytes.toBase64Url(bomb)}`)), "too_large")
  })

  it("KEZ-PRF-007 reads Markdown with JSON or the compact form in its first fence", () => {
    const page = Encoding.encodeMarkdown(claim)
    assert.include(page, `Primary: ${alice.primary}\n`)
    assert.deepStrictEqual(ok(decodeMarkdown(page)), claim)
    assert.deepStrictEqual(ok(decodeMarkdown(page.replaceAll("\n", "\r\n"))), claim)
    const compactPage = `Hello\n\n\`\`\`kez\n${Encoding.encodeCompact(claim)}\n\`\`\`\n`
    assert.deepStrictEqual(ok(decodeMarkdown(compactPage)), claim)
    assert.deepStrictEqual(ok(decodeMarkdown(page + Encoding.encodeMarkdown(other))), claim)
    assert.strictEqual(codeOf(decodeMarkdown(page.replace(alice.primary, bob.primary))), "envelope_kind")
    assert.strictEqual(codeOf(decodeMarkdown("# nothing here")), "encoding_malformed")
    assert.strictEqual(codeOf(decodeMarkdown("```kez\n{}")), "encoding_malformed")
    assert.strictEqual(codeOf(decodeMarkdown("```kez\n{}\n```")), "envelope_malformed")
  })

  it("KEZ-PRF-008 joins TXT strings with nothing between", () => {
    const strings = Encoding.encodeTxt(claim, compress)
    assert.isTrue(strings.every((string) => string.length <= 255))
    assert.isAbove(strings.length, 1)
    assert.deepStrictEqual(ok(decodeTxt(strings)), claim)
    assert.strictEqual(codeOf(decodeTxt([strings.join("")])), "encoding_malformed")
    assert.strictEqual(codeOf(decodeTxt(strings.toReversed())), "encoding_malformed")
    assert.strictEqual(codeOf(decodeTxt([])), "encoding_malformed")
  })

  it("KEZ-PRF-009 reads bundles and JSON Lines", () => {
    const both = [claim, other]
    assert.deepStrictEqual(ok(decodeBundle(Encoding.encodeBundle(both))), both)
    assert.deepStrictEqual(ok(decodeBundle(Encoding.encodeBundle(both, compress))), both)
    assert.deepStrictEqual(ok(Encoding.decodeLines(`\n${Encoding.encodeLines(both).trimEnd()}`)), both)
    assert.deepStrictEqual(ok(Encoding.decodeLines("")), [])
    assert.strictEqual(codeOf(Encoding.decodeLines("{}\n")), "envelope_malformed")
    assert.strictEqual(codeOf(Encoding.decodeLines(Uint8Array.of(0xff))), "encoding_malformed")
    assert.strictEqual(codeOf(Encoding.decodeLines("x".repeat(4 * 1024 * 1024 + 1))), "too_large")
  })

  it("KEZ-PRF-010 tells the forms apart by their look", () => {
    const forms = [Encoding.encodeCompact(claim), Encoding.encodeMarkdown(claim), Envelope.encodeText(claim)]
    assert.deepStrictEqual(forms.map(Encoding.detect), ["compact", "markdown", "json"])
    for (const form of forms) assert.deepStrictEqual(ok(decode(form)), claim)
    assert.strictEqual(Encoding.detect(Encoding.encodeBundle([claim])), "bundle")
    assert.strictEqual(codeOf(decode("hello")), "encoding_malformed")
  })

  it("answers whatever it is given", () => {
    fuzzText(decode, fc.constantFrom(Encoding.encodeCompact(claim, compress), Encoding.encodeMarkdown(claim)))
    fuzzText(decodeBundle, fc.constant(Encoding.encodeBundle([claim, other], compress)))
  })
})
