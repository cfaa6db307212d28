import { assert, describe, it } from "vitest"
import type { JsonObject } from "../../../src/protocol/encoding/Json.ts"
import * as MessageLog from "../../../src/client/messaging/MessageLog.ts"

const textOf = (body: JsonObject) => {
  const id = "A".repeat(22)
  const row = { id, direction: "in", device: id, seq: 0, hash: "sha256:00", createdAt: 0, arrivedAt: 0, body } as const
  return MessageLog.toMessage("00", 1, row).text
}

describe("the text of a stored message", () => {
  it("KEZ-DM-020: a body of an unknown type always has a text: its fallback, or a sentence", () => {
    assert.strictEqual(textOf({ type: "poll", fallback: "a poll" }), "a poll")
    for (const body of [{ type: "poll" }, { type: "poll", fallback: "" }, { type: "poll", fallback: "\u200b" }]) {
      assert.strictEqual(textOf(body as JsonObject), 'this version cannot show a message of type "poll"')
    }
  })
})
