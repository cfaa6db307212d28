import { ed25519 } from "@noble/curves/ed25519.js"
import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { nkeys } from "@nats-io/nats-core"
import * as Nkey from "../../../src/protocol/identity/Nkey.ts"
import { codeOf, fuzzText } from "../../kits/DecoderKit.ts"

const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const letters = { account: "A", server: "N", operator: "O", user: "U", curve: "X" } as const
const prefix = fc.constantFrom(...(Object.keys(letters) as Array<Nkey.Prefix>))

describe("nkeys (KEZ-NAT-004)", () => {
  it("round trip, and begin with the letter of their type", () =>
    fc.assert(
      fc.property(prefix, key, (kind, bytes) => {
        const text = Nkey.encode(kind, bytes)
        assert.lengthOf(text, 56)
        assert.isTrue(text.startsWith(letters[kind]))
        assert.deepStrictEqual(Result.getOrThrow(Nkey.decode(text)), { prefix: kind, key: bytes })
      })
    ))
  it("are the NATS library's, of the same key", () => {
    for (let i = 0; i < 20; i++) {
      const pair = nkeys.createUser()
      const theirs = pair.getPublicKey()
      const key = Result.getOrThrow(Nkey.toKey(theirs))
      assert.strictEqual(Nkey.fromKey(key), theirs)
      assert.isTrue(ed25519.verify(pair.sign(Uint8Array.of(i)), Uint8Array.of(i), key.ed25519))
      pair.clear()
    }
    for (const [kind, pair] of [
      ["account", nkeys.createAccount()],
      ["server", nkeys.createServer()],
      ["operator", nkeys.createOperator()],
      ["curve", nkeys.createCurve()]
    ] as const) {
      const text = pair.getPublicKey()
      const decoded = Result.getOrThrow(Nkey.decode(text))
      assert.strictEqual(decoded.prefix, kind)
      assert.strictEqual(Nkey.encode(kind, decoded.key), text)
    }
  })
  it("refuse other alphabets, lengths, checksums and types", () => {
    const text = Nkey.encode("user", new Uint8Array(32).fill(7))
    const unknown = nkeys.createCluster().getPublicKey()
    for (const wrong of [
      "",
      text.toLowerCase(),
      text.slice(1),
      `${text}=`,
      `${text} `,
      `${text.slice(0, -1)}A`,
      `V${text.slice(1)}`,
      text.replace("A", "1"),
      unknown
    ]) {
      assert.strictEqual(codeOf(Nkey.decode(wrong)), "key_malformed", wrong)
    }
    for (const length of [0, 31, 33]) assert.throws(() => Nkey.encode("user", new Uint8Array(length)), RangeError)
  })
  it("of a user only, and with an admissible key, are an account's", () => {
    assert.strictEqual(
      codeOf(Nkey.toKey(Nkey.encode("account", ed25519.getPublicKey(new Uint8Array(32))))),
      "key_malformed"
    )
    assert.strictEqual(codeOf(Nkey.toKey(Nkey.encode("user", new Uint8Array(32)))), "key_rejected")
  })
  it("never throw", () => {
    fuzzText(
      Nkey.decode,
      key.map((bytes) => Nkey.encode("user", bytes))
    )
    fuzzText(
      Nkey.toKey,
      key.map((bytes) => Nkey.encode("user", ed25519.getPublicKey(bytes))),
      100
    )
  })
})
