import { assert, describe, it } from "vitest"
import * as KezId from "../../../src/protocol/broker/KezId.ts"

describe("KezId", () => {
  it("is 22 characters of base64url", () => {
    assert.isTrue(KezId.isKezId("AAAAAAAAAAAAAAAAAAAA-_"))
    for (const text of ["", "A".repeat(21), "A".repeat(23), `${"A".repeat(21)}=`, `${"A".repeat(21)}+`]) {
      assert.isFalse(KezId.isKezId(text), text)
    }
  })
})
