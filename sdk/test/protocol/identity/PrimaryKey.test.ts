import { ed25519 } from "@noble/curves/ed25519.js"
import { bech32, bech32m } from "@scure/base"
import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Bytes from "../../../src/protocol/encoding/Bytes.ts"
import * as PrimaryKey from "../../../src/protocol/identity/PrimaryKey.ts"
import { codeOf, fuzzText } from "../../kits/DecoderKit.ts"

const hex = "2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe("ed25519 primaries (KEZ-KEY-001, KEZ-KEY-003)", () => {
  it("round trip", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const text = `ed25519:${Bytes.toHex(ed25519.getPublicKey(seed))}`
        assert.strictEqual(PrimaryKey.format(Result.getOrThrow(PrimaryKey.parseEd25519(text))), text)
      }),
      { numRuns: 20 }
    )
    assert.strictEqual(PrimaryKey.ofHex(hex), `ed25519:${hex}`)
    assert.strictEqual(PrimaryKey.hexOf(`ed25519:${hex}`), hex)
    const parsed = Result.getOrThrow(PrimaryKey.parse(`ed25519:${hex}`))
    assert.strictEqual(parsed.system === "ed25519" ? parsed.key.hex : "", hex)
  })
  it("any other text is key_malformed, an inadmissible key key_rejected", () => {
    for (const text of [
      "",
      hex,
      `ed25519:${hex.toUpperCase()}`,
      `ED25519:${hex}`,
      `ed25519:${hex}0`,
      `ed25519: ${hex}`,
      `ed448:${hex}`,
      `ed25519:${hex}\n`
    ]) {
      assert.strictEqual(codeOf(PrimaryKey.parse(text)), "key_malformed", text)
      assert.strictEqual(codeOf(PrimaryKey.parseEd25519(text)), "key_malformed", text)
    }
    assert.strictEqual(codeOf(PrimaryKey.parse(`ed25519:01${"00".repeat(31)}`)), "key_rejected")
  })
})

describe("nostr primaries (KEZ-KEY-002)", () => {
  // NIP-19's own example.
  const npub = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"
  const x = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e"
  it("read NIP-19's example and round trip", () => {
    const parsed = Result.getOrThrow(PrimaryKey.parse(`nostr:${npub}`))
    assert.strictEqual(parsed.system === "nostr" ? Bytes.toHex(parsed.x) : "", x)
    fc.assert(
      fc.property(seeds, (bytes) => {
        const back = Result.getOrThrow(PrimaryKey.parse(PrimaryKey.formatNostr(bytes)))
        assert.deepStrictEqual(back, { system: "nostr", x: bytes })
      })
    )
  })
  it("are no chat account's", () => {
    assert.strictEqual(codeOf(PrimaryKey.parseEd25519(`nostr:${npub}`)), "key_malformed")
  })
  it("refuse other prefixes, checksums, lengths, cases and set padding bits", () => {
    const bytes = Buffer.from(x, "hex")
    const words = bech32.toWords(bytes)
    const padded = [...words.slice(0, -1), (words.at(-1) as number) | 1]
    for (const text of [
      npub.toUpperCase(),
      `${npub.slice(0, -1)}q`,
      npub.slice(0, -1),
      bech32.encode("nsec", words),
      bech32m.encode("npub", words),
      bech32.encode("npub", bech32.toWords(bytes.subarray(1))),
      bech32.encode("npub", padded),
      ` ${npub}`
    ]) {
      assert.strictEqual(codeOf(PrimaryKey.parse(`nostr:${text}`)), "key_malformed", text)
    }
  })
})

describe("primaries of either system", () => {
  it("never throw", () => {
    fuzzText(PrimaryKey.parse, seeds.map(PrimaryKey.formatNostr))
    fuzzText(PrimaryKey.parse, fc.constant(`ed25519:${hex}`), 200)
  })
})
