import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Block from "../../../src/protocol/broker/Block.ts"
import * as Bytes from "../../../src/protocol/encoding/Bytes.ts"
import * as Trim from "../../../src/protocol/broker/Trim.ts"
import { fuzzBytes } from "../../kits/DecoderKit.ts"

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 })
const epoch = sixteen.map(Bytes.toBase64Url)
const box = fc.constantFrom("inbox" as const, "self" as const)
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const share = fc.record({ used: count, limit: count })
const request: fc.Arbitrary<Trim.Request> = fc.record(
  {
    box,
    nonce: sixteen,
    remove: fc.record({ upTo: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), epoch })
  },
  { requiredKeys: ["box", "nonce"] }
)
const report: fc.Arbitrary<Trim.Report> = fc
  .record(
    { epoch, used: count, limit: count, strangers: share, oldestMillis: fc.nat({ max: 4_000_000_000 }) },
    { requiredKeys: ["epoch", "used", "limit"] }
  )
  .map(({ oldestMillis, ...rest }) =>
    oldestMillis === undefined ? rest : { ...rest, oldestMillis: oldestMillis * 1_000 }
  )
const block: fc.Arbitrary<Block.Request> = fc.record({
  op: fc.constantFrom("add" as const, "remove" as const),
  who: fc.stringMatching(/^[0-9a-f]{64}$/),
  nonce: sixteen
})
const nonce = new Uint8Array(16).fill(7)

describe("trim requests (KEZ-NAT-057)", () => {
  it("round trip within 512 bytes", () =>
    fc.assert(
      fc.property(request, (value) => {
        const bytes = Trim.encodeRequest(value)
        assert.isAtMost(bytes.length, 512)
        assert.deepStrictEqual(Result.getOrThrow(Trim.parseRequest(bytes)), value)
      })
    ))
  it("take any bytes", () => fuzzBytes(Trim.parseRequest, request.map(Trim.encodeRequest)))
})

describe("answers to trim requests (KEZ-NAT-061)", () => {
  it("round trip, for their own request only", () =>
    fc.assert(
      fc.property(report, sixteen, sixteen, (value, own, other) => {
        const bytes = Trim.encodeAnswer(value, own)
        assert.isAtMost(bytes.length, 512)
        assert.deepStrictEqual(Trim.decodeAnswer(bytes, own), value)
        if (!Bytes.equal(own, other)) assert.isUndefined(Trim.decodeAnswer(bytes, other))
      })
    ))
  it("are nothing else", () => {
    const answer = (members: object) =>
      Trim.decodeAnswer(
        new TextEncoder().encode(
          JSON.stringify({
            ok: 1,
            n: Bytes.toBase64Url(nonce),
            epoch: "AAECAwQFBgcICQoLDA0ODw",
            used: 1,
            limit: 2,
            ...members
          })
        ),
        nonce
      )
    assert.deepStrictEqual(answer({ later: true }), { epoch: "AAECAwQFBgcICQoLDA0ODw", used: 1, limit: 2 })
    for (const wrong of [
      { ok: 2 },
      { e: "bad" },
      { n: undefined },
      { epoch: "short" },
      { used: -1 },
      { used: "1" },
      { limit: undefined },
      { strangers: 1 },
      { strangers: { used: 1 } },
      { oldest: 1 },
      { oldest: "yesterday" }
    ]) {
      assert.isUndefined(answer(wrong), JSON.stringify(wrong))
    }
    assert.isUndefined(Trim.decodeAnswer(new TextEncoder().encode('{"ok":1}'), nonce))
  })
})

describe("block requests (KEZ-NAT-062)", () => {
  it("round trip, and so do their answers, for their own request only", () =>
    fc.assert(
      fc.property(block, sixteen, (value, other) => {
        assert.deepStrictEqual(Result.getOrThrow(Block.parseRequest(Block.encodeRequest(value))), value)
        const answer = Block.encodeAnswer(value.nonce)
        assert.isTrue(Block.isDone(answer, value.nonce))
        if (!Bytes.equal(value.nonce, other)) assert.isFalse(Block.isDone(answer, other))
      })
    ))
  it("take any bytes", () => fuzzBytes(Block.parseRequest, block.map(Block.encodeRequest)))
})
