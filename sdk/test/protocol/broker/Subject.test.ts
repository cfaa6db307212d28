import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Subject from "../../../src/protocol/broker/Subject.ts"
import { codeOf, fuzzText } from "../../kits/DecoderKit.ts"

const hex = fc.stringMatching(/^[0-9a-f]{64}$/)
const makers = {
  inbox: Subject.inbox,
  self: Subject.self,
  delivery: Subject.delivery,
  fetch: Subject.fetch,
  trim: Subject.trim,
  block: Subject.block,
  send: Subject.send
}

describe("subjects", () => {
  it("round trip", () =>
    fc.assert(
      fc.property(hex, fc.constantFrom(...(Object.keys(makers) as Array<keyof typeof makers>)), (key, kind) => {
        assert.deepStrictEqual(Result.getOrThrow(Subject.parse(makers[kind](key))), { kind, hex: key })
      })
    ))
  it("are the broker's own names", () => {
    const key = "ab".repeat(32)
    assert.deepStrictEqual(
      [
        Subject.inbox(key),
        Subject.self(key),
        Subject.delivery(key),
        Subject.fetch(key),
        Subject.trim(key),
        Subject.block(key),
        Subject.send(key),
        Subject.replyPrefix(key)
      ],
      [
        `kez.inbox.${key}`,
        `kez.self.${key}`,
        `kez.dlv.${key}`,
        `kez.fetch.${key}`,
        `kez.trim.${key}`,
        `kez.block.${key}`,
        `kez.send.${key}`,
        `_INBOX_${key}`
      ]
    )
  })
  it("any other text is refused", () => {
    const key = "ab".repeat(32)
    for (const text of [
      "",
      "kez.inbox.",
      "kez.inbox.*",
      "kez.inbox.>",
      `kez.inbox.${key}.x`,
      `kez.inbox.${key.toUpperCase()}`,
      `kez.other.${key}`,
      `.kez.inbox.${key}`,
      `kez.inbox.${key}\n`,
      `kez.delivery.${key}`
    ]) {
      assert.strictEqual(codeOf(Subject.parse(text)), "request_malformed", text)
    }
    fuzzText(Subject.parse, hex.map(Subject.send))
  })
})
