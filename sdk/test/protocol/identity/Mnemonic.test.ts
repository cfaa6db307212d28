import { Result } from "effect"
import { wordlist } from "@scure/bip39/wordlists/english.js"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Bytes from "../../../src/protocol/encoding/Bytes.ts"
import * as Mnemonic from "../../../src/protocol/identity/Mnemonic.ts"
import { codeOf, fuzzText } from "../../kits/DecoderKit.ts"

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
const seedOf = (words: string) => Bytes.toHex(Result.getOrThrow(Mnemonic.toSeed(words)))
const times = (word: string, count: number, last: string) => [...Array<string>(count).fill(word), last].join(" ")

/** The three that KEZ publishes. */
const published = [
  [times("abandon", 23, "art"), "00".repeat(32)],
  [times("abandon", 11, "about"), "09451c0f06588db78205e32a793536e15ae263c8f9ee6d14f5c6fd82b8bd20da"],
  [
    "legal winner thank year wave sausage worth useful legal winner thank yellow",
    "9df434a2bd5dc767ee949d8ab95ca09c4ebbb88cefc3d0b1523f6b2a744ca824"
  ]
] as const

describe("words and seeds", () => {
  it("KEZ's published V1 to V3 (KEZ-MNE-002, KEZ-MNE-003)", () => {
    for (const [words, seed] of published) assert.strictEqual(seedOf(words), seed)
    assert.strictEqual(Mnemonic.fromSeed(new Uint8Array(32)), published[0][0])
  })
  it("24 words are the seed, both ways (KEZ-MNE-001, KEZ-MNE-004)", () =>
    fc.assert(
      fc.property(seeds, (seed) => {
        const words = Mnemonic.generate(seed)
        assert.lengthOf(words.split(" "), 24)
        assert.deepStrictEqual(Result.getOrThrow(Mnemonic.toSeed(words)), seed)
      })
    ))
  it("case and white space do not matter (KEZ-MNE-006)", () => {
    const words = published[0][0]
    for (const typed of [
      words.toUpperCase(),
      ` \t${words.replaceAll(" ", "\n\u3000 ")}\r\n`,
      words.replace("abandon", "Abandon")
    ]) {
      assert.strictEqual(seedOf(typed), "00".repeat(32))
    }
  })
  it("other counts, words and checksums are mnemonic_invalid (KEZ-MNE-005)", () => {
    const words = published[0][0].split(" ")
    for (const wrong of [
      "",
      words.slice(0, 23).join(" "),
      [...words, "abandon"].join(" "),
      words.slice(0, 18).join(" "),
      words.with(3, "zoo").join(" "),
      words.with(3, "abandom").join(" "),
      words.toReversed().join(" "),
      words.with(0, "abandon\u0301").join(" "),
      words.join(",")
    ]) {
      assert.strictEqual(codeOf(Mnemonic.toSeed(wrong)), "mnemonic_invalid", wrong)
    }
  })
  it("a refusal names a position and no word (KEZ-KEY-005)", () => {
    const words = published[2][0].split(" ")
    for (const typed of [words.with(6, "wurth"), words.with(11, "zoo"), words.slice(1)]) {
      const refused = Mnemonic.toSeed(typed.join(" "))
      const shown = Result.isFailure(refused) ? refused.failure.message : assert.fail("accepted")
      for (const word of typed)
        assert.notInclude(
          shown.split(/\W+/).filter((part) => wordlist.includes(part) && part !== "word"),
          word
        )
      assert.notInclude(shown, "wurth")
    }
    const refused = Mnemonic.toSeed(words.with(6, "wurth").join(" "))
    assert.include(Result.isFailure(refused) ? refused.failure.detail : "", "word 7")
  })
  it("a seed of another length is the caller's mistake", () => {
    for (const length of [0, 16, 31, 33]) assert.throws(() => Mnemonic.fromSeed(new Uint8Array(length)), RangeError)
  })
  it("never throws", () => fuzzText(Mnemonic.toSeed, seeds.map(Mnemonic.fromSeed), 300))
})
