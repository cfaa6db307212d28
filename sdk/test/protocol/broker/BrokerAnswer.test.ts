import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BrokerAnswer } from "../../../src/protocol/index.ts"

const parse = (text: string) => BrokerAnswer.parse(Buffer.from(text))

describe("BrokerAnswer", () => {
  it("reads what it writes", () => {
    expect(BrokerAnswer.parse(BrokerAnswer.ok)).toBe("ok")
    for (const code of ["full", "slow", "unknown", "bad", "size", "retry"] as const)
      expect(BrokerAnswer.parse(BrokerAnswer.encodeRefusal({ code }))).toEqual({ code })
  })

  it("rounds the time of the next try up to a second", () => {
    const bytes = BrokerAnswer.encodeRefusal({ code: "slow", untilMillis: Date.UTC(2026, 10, 29, 23, 59, 59, 1) })
    expect(Buffer.from(bytes).toString()).toBe('{"e":"slow","at":"2026-11-30T00:00:00Z"}')
    expect(BrokerAnswer.parse(bytes)).toEqual({ code: "slow", untilMillis: Date.UTC(2026, 10, 30) })
    expect(parse('{"e":"slow","at":"tomorrow"}')).toEqual({ code: "slow" })
  })

  it("KEZ-NAT-067 reads the closed list and nothing else", () => {
    for (const text of [
      "",
      "ok",
      "[]",
      "{}",
      '{"ok":true}',
      '{"ok":2}',
      '{"ok":1,"e":"full"}',
      '{"e":"other"}',
      '{"e":"toString"}',
      '{"e":1}'
    ]) {
      expect([text, parse(text)]).toEqual([text, undefined])
    }
  })

  it("never throws", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void BrokerAnswer.parse(bytes)))
  })
})
