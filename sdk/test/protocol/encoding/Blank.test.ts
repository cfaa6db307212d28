import { assert, describe, it } from "@effect/vitest"
import { Blank } from "@kez-chat/sdk/protocol"

describe("a blank text", () => {
  for (const text of [
    "",
    " ",
    "\t\r\n",
    "\u00a0\u2003\u3000",
    "\u200b\u200c\u200d\u2060",
    "\u200e\u202e\u2066",
    "\ufeff",
    "\u00ad",
    "\ufe0f",
    "\u115f\u3164\uffa0",
    "\u{e0041}",
    "\u2800",
    "\u0000\u007f"
  ]) {
    it(`is ${JSON.stringify(text)}`, () => assert.isTrue(Blank.isBlank(text)))
  }

  for (const text of ["a", " a ", ".", "-", "0", "\u200ba", "👩‍👧", "\u0301", "\ud800", "\u0600", "क्‍ष"]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.isFalse(Blank.isBlank(text)))
  }
})
