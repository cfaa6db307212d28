import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as BrokerLogin from "../../../src/protocol/broker/BrokerLogin.ts"
import * as Bytes from "../../../src/protocol/encoding/Bytes.ts"
import { codeOf, fuzzText } from "../../kits/DecoderKit.ts"

const nonce = "aB3_-xyzXYZ0129"
const host = (url: string) => Result.getOrThrow(BrokerLogin.normaliseHost(url))

describe("the host of a login (KEZ-NAT-003)", () => {
  it("is the dialled name in lower case as A-labels, without port, path and trailing dot", () => {
    for (const [url, expected] of [
      ["nats://localhost:4222", "localhost"],
      ["nats://LocalHost", "localhost"],
      ["tls://Kez.LAT:4443", "kez.lat"],
      ["ws://kez.lat./nats", "kez.lat"],
      ["WSS://B\u00fccher.example:443/a/b", "xn--bcher-kva.example"],
      ["nats://nats_1:4222", "nats_1"],
      ["nats://127.0.0.1:4222", "127.0.0.1"],
      ["ws://[0:0:0:0:0:0:0:1]:8443", "[::1]"],
      ["nats://[2001:DB8::1]", "[2001:db8::1]"],
      ["kez.lat:4222", "kez.lat"],
      ["kez.lat", "kez.lat"]
    ] as const) {
      assert.strictEqual(host(url), expected)
      assert.strictEqual(host(expected), expected)
    }
  })
  it("refuses other schemes, users, passwords and what is no host", () => {
    for (const url of [
      "",
      "http://kez.lat",
      "https://kez.lat",
      "nats://",
      "nats://u@kez.lat",
      "nats://u:p@kez.lat",
      "nats://a b",
      "nats://a..b",
      "nats://%6bez.lat",
      "nats://a?b",
      "nats://a#b",
      "nats://[::1",
      "nats://[fe80::1%25eth0]",
      "nats://kez.lat:99999",
      "nats://-",
      "nats://a\\b",
      "nats:kez.lat",
      "//kez.lat"
    ]) {
      assert.strictEqual(codeOf(BrokerLogin.normaliseHost(url)), "login_refused", url)
    }
  })
  it("is always one that can be signed for", () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ["ws", "wss"] }), (url) => {
        const normal = BrokerLogin.normaliseHost(url)
        if (Result.isSuccess(normal)) assert.isTrue(Result.isSuccess(BrokerLogin.loginBytes(normal.success, nonce)))
      })
    )
    fuzzText(BrokerLogin.normaliseHost, fc.constantFrom("nats://localhost:4222", "wss://[::1]:8443/x", "kez.lat"))
  })
})

describe("login bytes (KEZ-NAT-001, KEZ-NAT-002)", () => {
  it("are context, host and nonce with a zero byte between", () => {
    assert.deepStrictEqual(
      Result.getOrThrow(BrokerLogin.loginBytes("kez.lat", nonce)),
      Bytes.utf8(`kez/nats-auth/v1\0kez.lat\0${nonce}`)
    )
  })
  it("are made for 15 characters of base64url only", () => {
    for (const wrong of [
      "",
      nonce.slice(1),
      `${nonce}a`,
      `${nonce.slice(1)}.`,
      `${nonce.slice(1)}\0`,
      `${nonce.slice(1)}\u00e9`,
      `${nonce}\n`,
      '{"type":"kez"}a'
    ]) {
      assert.strictEqual(codeOf(BrokerLogin.loginBytes("kez.lat", wrong)), "login_refused", wrong)
    }
  })
  it("are made for hosts in normal form only", () => {
    for (const wrong of [
      "",
      "Kez.lat",
      "kez.lat.",
      "kez.lat:4222",
      "::1",
      "[::01]",
      "[::1",
      "b\u00fccher.example",
      "a\0b",
      "kez.lat\n",
      `${"a".repeat(64)}.b`,
      "1.2.3"
    ]) {
      assert.strictEqual(codeOf(BrokerLogin.loginBytes(wrong, nonce)), "login_refused", wrong)
    }
    for (const right of ["[::1]", "10.0.0.1", "localhost"]) {
      assert.isTrue(Result.isSuccess(BrokerLogin.loginBytes(right, nonce)))
    }
  })
  it("never throw", () => {
    fuzzText((text) => BrokerLogin.loginBytes(text, nonce), fc.constant("kez.lat"))
    fuzzText((text) => BrokerLogin.loginBytes("kez.lat", text), fc.constant(nonce))
  })
})
