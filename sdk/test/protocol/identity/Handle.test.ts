import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Handle from "../../../src/protocol/identity/Handle.ts"
import { codeOf, fuzzText } from "../../kits/DecoderKit.ts"

const local = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{2,31}$/)
const server = fc.oneof(fc.domain(), fc.constant("localhost"), fc.constant("xn--bcher-kva.example"))
const handle = fc.tuple(local, server.filter(Handle.isServerName)).map(([name, host]) => `${name}@${host}`)
const mention = (text: string, home = "kez.lat") => {
  const parsed = Handle.parseMention(text, home)
  return Result.isSuccess(parsed) ? parsed.success.text : parsed.failure.code
}

it("names the A-labels of a server that is written in U-labels", () => {
  const wrong = Result.getOrThrow(Result.flip(Handle.parse("chris@b\u00fccher.example")))
  assert.include(wrong.message, "xn--bcher-kva.example")
  assert.strictEqual(
    Result.getOrThrow(Handle.parseMention("chris@B\u00fccher.example", "x")).server,
    "xn--bcher-kva.example"
  )
})

describe("handles (KEZ-REG-001, KEZ-REG-002)", () => {
  it("round trip", () =>
    fc.assert(
      fc.property(handle, (text) => {
        const parsed = Result.getOrThrow(Handle.parse(text))
        assert.strictEqual(parsed.text, text)
        assert.strictEqual(`${parsed.local}@${parsed.server}`, text)
      })
    ))
  it("accept the smallest and largest names", () => {
    for (const text of ["abc@a", "0-_@localhost", `${"a".repeat(32)}@kez.lat`, `abc@${"a".repeat(63)}.b`]) {
      assert.strictEqual(Result.getOrThrow(Handle.parse(text)).text, text)
    }
  })
  it("refuse every other name", () => {
    for (const name of [
      "",
      "ab",
      "a".repeat(33),
      "_ab",
      "-ab",
      "Chris",
      "chr is",
      "chr.is",
      "chris\n",
      "chr\u00efs",
      "\uff43hris",
      "chris:x",
      "chris/"
    ]) {
      assert.strictEqual(codeOf(Handle.parse(`${name}@kez.lat`)), "handle_malformed", name)
      assert.isFalse(Handle.isLocal(name))
    }
  })
  it("refuse every other server name", () => {
    for (const name of [
      "",
      "kez.lat.",
      ".kez.lat",
      "kez..lat",
      "Kez.lat",
      "kez_lat",
      "-kez.lat",
      "kez-.lat",
      "kez.lat:8080",
      "kez.lat/",
      "kez lat",
      "127.0.0.1",
      "1",
      "a.1",
      "[::1]",
      "b\u00fccher.example",
      "a@b",
      `${"a".repeat(64)}.b`,
      `${"a.".repeat(126)}ab`,
      "kez.lat\n"
    ]) {
      assert.strictEqual(codeOf(Handle.parse(`chris@${name}`)), "handle_malformed", name)
      assert.isFalse(Handle.isServerName(name))
    }
    assert.isTrue(Handle.isServerName(`${"a.".repeat(126)}a`))
    for (const text of ["chris", "@chris", "chris@", "@chris@kez.lat", "@"]) {
      assert.strictEqual(codeOf(Handle.parse(text)), "handle_malformed", text)
    }
  })
  it("never throw", () => fuzzText(Handle.parse, handle))
})

describe("mentions (KEZ-REG-003)", () => {
  it("with and without @, server and capitals", () => {
    for (const text of ["chris", "@chris", "chris@kez.lat", "@chris@kez.lat", " @Chris ", "CHRIS@KEZ.LAT"]) {
      assert.strictEqual(mention(text), "chris@kez.lat")
    }
    assert.strictEqual(mention("chris@other.example"), "chris@other.example")
    assert.strictEqual(mention("chris@B\u00fccher.example"), "chris@xn--bcher-kva.example")
  })
  it("everything else is refused rather than cut", () => {
    for (const text of [
      "",
      "@",
      "@@chris",
      "ch",
      "chris@",
      "chris@kez.lat:80",
      "chris@kez.lat/x",
      "chris@a@b",
      "chris@u:p@b",
      "chris@1.2.3.4",
      "chris@0x7f",
      "chris@[::1]",
      "chris@kez.lat.",
      "chris@a b",
      "chris@%6b"
    ]) {
      assert.strictEqual(mention(text), "handle_malformed", text)
    }
  })
  it("accept every handle and give only handles", () => {
    fc.assert(fc.property(handle, (text) => assert.strictEqual(mention(text), text)))
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const parsed = Handle.parseMention(text, "kez.lat")
        if (Result.isSuccess(parsed))
          assert.deepStrictEqual(Result.getOrThrow(Handle.parse(parsed.success.text)), parsed.success)
      })
    )
    fuzzText((text) => Handle.parseMention(text, "kez.lat"), handle)
  })
})
