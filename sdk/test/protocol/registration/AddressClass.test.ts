import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as AddressClass from "../../../src/protocol/registration/AddressClass.ts"
import * as SocketAddress from "../../../src/protocol/files/SocketAddress.ts"

const ip = (text: string) => SocketAddress.parse(`${text}:1`)!.ip

describe("classes of addresses", () => {
  it("hold at the edges of every block", () => {
    const edges: ReadonlyArray<readonly [before: string, first: string, last: string, after: string]> = [
      ["9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"],
      ["100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"],
      ["126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"],
      ["169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"],
      ["172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"],
      ["191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"],
      ["192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"],
      ["192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"],
      ["198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"],
      ["[1fff:ffff::]", "[2000::]", "[2000:ffff::]", "[2001:0:ffff::]"]
    ]
    for (const [before, first, last, after] of edges) {
      const inside = AddressClass.ofIp(ip(first))
      assert.strictEqual(AddressClass.ofIp(ip(last)), inside, last)
      assert.notStrictEqual(AddressClass.ofIp(ip(before)), inside, before)
      assert.notStrictEqual(AddressClass.ofIp(ip(after)), inside, after)
    }
    for (const text of ["223.255.255.255", "1.1.1.1", "[2001:200::1]", "[2a00::1]", "[3ffe::1]"]) {
      assert.strictEqual(AddressClass.ofIp(ip(text)), "public", text)
    }
  })

  it("are those of the IPv4 address within", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (v4) => {
        const expected = AddressClass.ofIp(v4)
        const hex = (at: number) => (((v4[at] as number) << 8) | (v4[at + 1] as number)).toString(16)
        const dotted = [...v4].join(".")
        for (const host of [
          dotted,
          `[::ffff:${dotted}]`,
          `::ffff:${hex(0)}:${hex(2)}`,
          `[64:ff9b::${dotted}]`,
          `[2002:${hex(0)}:${hex(2)}::1]`,
          String(v4.reduce((sum, byte) => sum * 256 + byte, 0))
        ]) {
          assert.strictEqual(AddressClass.ofHost(host), expected, host)
        }
      })
    )
  })

  it("have one definition of loopback", () => {
    for (const host of ["localhost", "LOCALHOST", "localhost.", "a.b.localhost", "127.1", "::1", "[::1]", "[0:0::1]"]) {
      assert.isTrue(AddressClass.isLoopback(host), host)
    }
    for (const host of ["localhost.evil.example", "xlocalhost", "127.0.0.1.nip.io", "0.0.0.0", "::", "128.0.0.1", ""]) {
      assert.isFalse(AddressClass.isLoopback(host), host)
    }
  })

  it("never throw, whatever a host is", () => {
    fc.assert(fc.property(fc.string(), (text) => void AddressClass.ofHost(text)))
    for (const host of ["", " ", "a b", "[::1%eth0]", "fe80::1%1", "999.1.1.1", "http://x", "a/b", "[", "user@host"]) {
      assert.strictEqual(AddressClass.ofHost(host), "unusable", host)
    }
  })
})
