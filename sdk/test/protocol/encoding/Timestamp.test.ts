import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Timestamp from "../../../src/protocol/encoding/Timestamp.ts"
import { codeOf, fuzzText } from "../../kits/DecoderKit.ts"

const millis = fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) })

describe("times (KEZ-CAN-003)", () => {
  it("round trip to whole seconds, the fraction cut off also before 1970", () => {
    fc.assert(
      fc.property(millis, (time) => {
        const text = Timestamp.fromMillis(time)
        assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
        assert.strictEqual(Result.getOrThrow(Timestamp.parse(text)), Math.floor(time / 1000) * 1000)
      })
    )
    assert.strictEqual(Timestamp.fromMillis(Date.UTC(2026, 4, 25) + 999), "2026-05-25T00:00:00Z")
    assert.strictEqual(Timestamp.fromMillis(-1), "1969-12-31T23:59:59Z")
    assert.strictEqual(Timestamp.fromMillis(0), "1970-01-01T00:00:00Z")
  })
  it("reads the years 0000 to 9999", () => {
    for (const text of ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29T12:00:00Z"]) {
      assert.strictEqual(Timestamp.fromMillis(Result.getOrThrow(Timestamp.parse(text))), text)
    }
    for (const beyond of [Date.UTC(10_000, 0, 1), Number.NaN, Number.POSITIVE_INFINITY, -6.3e13]) {
      assert.throws(() => Timestamp.fromMillis(beyond), RangeError)
    }
  })
  it("refuses every other form and days that do not exist", () => {
    for (const text of [
      "",
      "2026-05-25",
      "2026-05-25T00:00:00",
      "2026-05-25T00:00:00z",
      "2026-05-25t00:00:00Z",
      "2026-05-25 00:00:00Z",
      "2026-05-25T00:00:00.000Z",
      "2026-05-25T00:00:00.5Z",
      "2026-05-25T00:00:00+00:00",
      "2026-05-25T00:00:00-00:00",
      "2026-05-25T24:00:00Z",
      "2026-05-25T00:00:60Z",
      "2016-12-31T23:59:60Z",
      "2026-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-01-00T00:00:00Z",
      "+002026-05-25T00:00:00Z",
      "26-05-25T00:00:00Z",
      " 2026-05-25T00:00:00Z",
      "2026-05-25T00:00:00Z\n",
      "\u0662026-05-25T00:00:00Z"
    ]) {
      assert.strictEqual(codeOf(Timestamp.parse(text)), "timestamp_malformed", text)
    }
    fuzzText(Timestamp.parse, millis.map(Timestamp.fromMillis))
  })
})
