import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import * as SocketAddress from "../../../src/protocol/files/SocketAddress.ts"

const parsed = (text: string): SocketAddress.SocketAddress => {
  const address = SocketAddress.parse(text)
  assert.isDefined(address)
  return address
}

describe("socket addresses", () => {
  it("are read and written in one form", () => {
    for (const text of ["127.0.0.1:0", "192.0.2.7:65535", "[::1]:4242", "[2001:db8::7]:1"]) {
      assert.strictEqual(SocketAddress.format(parsed(text)), text)
    }
    assert.strictEqual(SocketAddress.format(parsed("[2001:DB8:0::7]:1")), "[2001:db8::7]:1")
  })

  it("refuse what is no address", () => {
    const texts = [
      "",
      "1.2.3.4",
      "1.2.3.4:65536",
      "256.2.3.4:1",
      "1.2.3:1",
      "example.org:1",
      "[::1]",
      "::1:1",
      "[g::]:1"
    ]
    for (const text of [...texts, "[fe80::1%eth0]:1", "1.2.3.4:-1", "[1::2::3]:1"]) {
      assert.isUndefined(SocketAddress.parse(text), text)
    }
  })

  it("survive a round trip, whatever the bytes", () => {
    const ip = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
    fc.assert(
      fc.property(ip, fc.nat(0xffff), (ip, port) =>
        assert.deepStrictEqual(SocketAddress.parse(SocketAddress.format({ ip, port })), { ip, port })
      )
    )
    fc.assert(fc.property(fc.string(), (text) => void SocketAddress.parse(text)))
  })
})
