import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Bytes from "../../../src/protocol/encoding/Bytes.ts"
import * as Page from "../../../src/protocol/broker/Page.ts"
import { codeOf, fuzzBytes } from "../../kits/DecoderKit.ts"

const to: Page.PageFor = { ed25519: new Uint8Array(32).fill(0xed), nonce: new Uint8Array(16).fill(0x17) }
const epoch = "AAECAwQFBgcICQoLDA0ODw"
const number = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const page: fc.Arbitrary<Page.Page> = fc
  .record({
    epoch: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(Bytes.toBase64Url),
    pending: fc.nat({ max: 0xffff_ffff }),
    beyond: fc.nat(1000),
    frames: fc.array(
      fc.record({
        step: fc.integer({ min: 1, max: 2 ** 40 }),
        timeMillis: number,
        frame: fc.uint8Array({ minLength: 1, maxLength: 40 })
      }),
      { maxLength: 8 }
    )
  })
  .map(({ epoch, pending, beyond, frames }) => {
    let seq = 0
    const numbered = frames.map(({ step, timeMillis, frame }) => ({ seq: (seq += step), timeMillis, frame }))
    return { epoch, last: seq + beyond, pending, frames: numbered }
  })
const encoded = page.map((value) => Page.encode(value, to))
const decode = (bytes: Uint8Array) => Page.decode(bytes, to)
const one = (change: Partial<Page.Page> & { readonly frame?: Partial<Page.Frame> } = {}): Page.Page => ({
  epoch,
  last: 9,
  pending: 0,
  frames: [{ seq: 7, timeMillis: 8, frame: Uint8Array.of(0xaa, 0xbb), ...change.frame }],
  ...change
})
/** The page above with some of its bytes overwritten. */
const bent = (at: number, ...bytes: ReadonlyArray<number>) => {
  const whole = Page.encode(one(), to)
  whole.set(bytes, at)
  return whole
}

describe("pages (KEZ-NAT-030)", () => {
  it("round trip, and have the length foretold", () =>
    fc.assert(
      fc.property(page, (value) => {
        const bytes = Page.encode(value, to)
        assert.strictEqual(bytes.length, Page.encodedLength(value.frames))
        assert.deepStrictEqual(Result.getOrThrow(decode(bytes)), value)
      })
    ))
  it("are written as the specification lays them out", () => {
    assert.strictEqual(
      Bytes.toHex(Page.encode(one({ last: 258, pending: 3 }), to)),
      `01000102030405060708090a0b0c0d0e0f${"ed".repeat(32)}${"17".repeat(16)}0000000000000102000000030001` +
        "0000000000000007000000000000000800000002aabb"
    )
  })
  it("can be read from the middle of a larger buffer, and keep nothing of it", () => {
    const bytes = Page.encode(one(), to)
    const larger = Bytes.concat(Uint8Array.of(9, 9, 9), bytes, Uint8Array.of(9))
    const read = Result.getOrThrow(decode(larger.subarray(3, -1)))
    larger.fill(0)
    assert.deepStrictEqual(read, one())
  })
  it("for another account or request are refused (KEZ-NAT-031)", () => {
    const bytes = Page.encode(one(), to)
    for (const other of [
      { ...to, ed25519: new Uint8Array(32) },
      { ...to, nonce: new Uint8Array(16) },
      { ...to, nonce: new Uint8Array(0) }
    ]) {
      assert.strictEqual(codeOf(Page.decode(bytes, other)), "page_malformed")
    }
  })
  it("with any bent field are refused", () => {
    const cases: Record<string, Uint8Array> = {
      empty: new Uint8Array(0),
      "cut head": bent(0).subarray(0, 78),
      "cut frame": bent(0).subarray(0, -1),
      "bytes behind": Bytes.concat(bent(0), Uint8Array.of(0)),
      version: bent(0, 2),
      "last beyond 2^53": bent(65, 0x00, 0x20),
      "count too high": bent(77, 0, 2),
      "count too low": bent(77, 0, 0),
      "count over 512": bent(77, 0xff, 0xff),
      "seq 0": bent(79, 0, 0, 0, 0, 0, 0, 0, 0),
      "seq beyond last": bent(79, 0, 0, 0, 0, 0, 0, 0, 10),
      "seq beyond 2^53": bent(79, 0xff),
      "time beyond 2^53": bent(87, 0xff),
      "length 0": bent(95, 0, 0, 0, 0),
      "length too long": bent(95, 0xff, 0xff, 0xff, 0xff),
      "over the payload": new Uint8Array(1_048_577).fill(1)
    }
    for (const [what, bytes] of Object.entries(cases)) assert.strictEqual(codeOf(decode(bytes)), "page_malformed", what)
  })
  it("out of order are refused", () => {
    const two = Page.encode(
      { ...one(), frames: [...one().frames, { seq: 8, timeMillis: 0, frame: Uint8Array.of(1) }] },
      to
    )
    const place = 79 + 20 + 2
    for (const seq of [7, 6]) {
      two.set(Bytes.u64be(seq), place)
      assert.strictEqual(codeOf(decode(two)), "page_malformed")
    }
  })
  it("that could not be read are not written", () => {
    for (const wrong of [
      one({ epoch: "AA" }),
      one({ last: 6 }),
      one({ last: 2 ** 53 }),
      one({ frames: [...one().frames, ...one().frames] }),
      one({ frames: [{ seq: 1, timeMillis: 1, frame: new Uint8Array(0) }] }),
      one({ frames: [{ seq: 1, timeMillis: 1, frame: new Uint8Array(65_537) }] }),
      one({
        last: 600,
        frames: Array.from({ length: 513 }, (_, i) => ({ seq: i + 1, timeMillis: 0, frame: Uint8Array.of(1) }))
      })
    ]) {
      assert.throws(() => Page.encode(wrong, to), RangeError)
    }
    assert.throws(() => Page.encode(one(), { ...to, nonce: new Uint8Array(15) }), RangeError)
  })
  it("never throw", () => fuzzBytes(decode, encoded, 1000))
})

const parse = (text: string) => Page.parseRequest(Bytes.utf8(text))

describe("requests (KEZ-NAT-046)", () => {
  const nonce = new Uint8Array(16).fill(1)
  const request = fc.record(
    { after: number, nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }), epoch: fc.constant(epoch) },
    { requiredKeys: ["after", "nonce"], noNullPrototype: true }
  )
  it("round trip", () => {
    fc.assert(
      fc.property(request, (value) => {
        assert.deepStrictEqual(Result.getOrThrow(Page.parseRequest(Page.encodeRequest(value))), value)
      })
    )
    assert.strictEqual(
      Result.getOrThrow(Bytes.fromUtf8(Page.encodeRequest({ after: 5, nonce, epoch }))),
      `{"after":5,"epoch":"${epoch}","n":"AQEBAQEBAQEBAQEBAQEBAQ"}`
    )
  })
  it("pass over members they do not know", () => {
    assert.deepStrictEqual(Result.getOrThrow(parse('{"n":"AQEBAQEBAQEBAQEBAQEBAQ","after":0,"limit":9}')), {
      after: 0,
      nonce
    })
  })
  it("of any other shape are refused", () => {
    const n = '"n":"AQEBAQEBAQEBAQEBAQEBAQ"'
    for (const text of [
      "[]",
      "null",
      "{}",
      `{${n}}`,
      `{"after":-1,${n}}`,
      `{"after":"1",${n}}`,
      '{"after":1}',
      '{"after":1,"n":"AQ"}',
      '{"after":1,"n":1}',
      `{"after":1,"n":"AQEBAQEBAQEBAQEBAQEBAR"}`,
      `{"after":1,${n},"epoch":"AA"}`,
      `{"after":1,${n},"epoch":null}`
    ]) {
      assert.strictEqual(codeOf(parse(text)), "request_malformed", text)
    }
    assert.strictEqual(codeOf(parse(`{"after":1.5,${n}}`)), "json_number")
    assert.strictEqual(codeOf(parse(`{"after":1,"after":2,${n}}`)), "json_duplicate_name")
    assert.strictEqual(codeOf(parse(`{"after":1,${n},"x":"${"x".repeat(512)}"}`)), "too_large")
  })
  it("never throw", () => fuzzBytes(Page.parseRequest, request.map(Page.encodeRequest)))
})
