import {
  AccountExists,
  AccountUnfinished,
  ContactUnknown,
  FetchBlocked,
  KeyRefused,
  type KezChatError,
  NoAccount,
  SendBlocked
} from "@kez-chat/sdk"
import { Problem } from "@kez-chat/sdk/protocol"
import {
  BlobStoreError,
  BlobTransportError,
  BrokerRefused,
  BrokerUnavailable,
  FileError,
  ServerUnreachable,
  StoreConflict,
  StoreError,
  VaultError
} from "@kez-chat/sdk/services"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeError, encode, encodeError, LineSplitter, parseReply, parseRequest } from "../../src/owner/Wire.ts"

describe("LineSplitter", () => {
  it("finds the same lines however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.nat(20)), (texts, cuts) => {
        const lines = texts.map((text) => text.replaceAll("\n", " "))
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""))
        const splitter = new LineSplitter(10_000)
        const found: Array<string> = []
        let from = 0
        for (const cut of [...cuts, bytes.length]) {
          found.push(...(splitter.push(bytes.subarray(from, from + cut)) ?? []))
          from = Math.min(bytes.length, from + cut)
        }
        expect(found).toEqual(lines.map((line) => Buffer.from(line).toString()))
      })
    )
  })

  it("gives up on a line beyond the limit, whole or in pieces", () => {
    expect(new LineSplitter(4).push(Buffer.from("12345\n"))).toBeUndefined()
    expect(new LineSplitter(4).push(Buffer.from("12345"))).toBeUndefined()
    const splitter = new LineSplitter(4)
    expect(splitter.push(Buffer.from("1234"))).toEqual([])
    expect(splitter.push(Buffer.from("5"))).toBeUndefined()
    expect(new LineSplitter(4).push(Buffer.from("1234\n1234\n"))).toEqual(["1234", "1234"])
  })
})

describe("parseRequest", () => {
  it("never throws and lets nothing through that is no request", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        expect(parseRequest(line)).toBeUndefined()
        parseReply(line)
      })
    )
  })

  it.each([
    '{"v":1,"id":1,"method":"send"}',
    '{"v":2,"id":1.5,"method":"send"}',
    '{"v":2,"id":"1","method":"send"}',
    '{"v":2,"id":1}',
    '{"v":2,"id":1,"method":7}',
    '{"v":2,"id":1,"method":"send","params":{}}',
    "[]",
    "null"
  ])("refuses %s", (line) => {
    expect(parseRequest(line)).toBeUndefined()
  })

  it("reads requests and cancellations", () => {
    expect(parseRequest('{"v":2,"id":1,"method":"send","params":["a","b"]}')).toEqual({
      v: 2,
      id: 1,
      method: "send",
      params: ["a", "b"]
    })
    expect(parseRequest('{"v":2,"id":1,"cancel":true}')).toEqual({ v: 2, id: 1, cancel: true })
  })
})

const errors: ReadonlyArray<KezChatError> = [
  new NoAccount(),
  new AccountExists({ handle: "a@b" }),
  new AccountUnfinished({ handle: "a@b", step: "registered" }),
  new ContactUnknown({ who: "bob" }),
  new KeyRefused({ who: "bob", primary: "ed25519:00", reason: "not_accepted", detail: "x" }),
  new SendBlocked({ who: "bob", reason: "requested", detail: "x" }),
  new Problem.Problem({ code: "handle_taken", detail: "x" }),
  new ServerUnreachable({ url: "https://x", detail: "down" }),
  new BrokerRefused({ code: "full", retryable: true }),
  new BrokerUnavailable({ reason: "timeout", detail: "x" }),
  new StoreError({ reason: "full", detail: "x" }),
  new StoreConflict({ key: "k" }),
  new VaultError({ reason: "damaged", detail: "x" }),
  new FetchBlocked({ who: "bob", reason: "requested", detail: "x" }),
  new BlobStoreError({ reason: "full", detail: "x" }),
  new BlobTransportError({ reason: "refused", detail: "x" }),
  new FileError({ reason: "exists", path: "/a/b", detail: "x" })
]

describe("encode", () => {
  it("writes one line, and leaves bytes out of it", () => {
    const thumbnail = new Uint8Array([1, 2, 3])
    const line = encode({ id: 1, item: { file: { name: "a\nb", thumbnail }, list: [1] } })
    expect(line.indexOf("\n")).toBe(line.length - 1)
    expect(parseReply(line.trim())).toEqual({ id: 1, item: { file: { name: "a\nb" }, list: [1] } })
  })
})

describe("errors", () => {
  it.each(errors.map((error) => [error._tag, error] as const))("%s crosses the socket whole", (_, error) => {
    const back = decodeError(JSON.parse(JSON.stringify(encodeError(error))))
    expect(back._tag).toBe(error._tag)
    expect(back.message).toBe(error.message)
    expect(encodeError(back)).toEqual(encodeError(error))
  })

  it("leaves causes behind: they may hold anything", () => {
    const secret = new StoreError({ reason: "io", detail: "x", cause: new Error("secret words") })
    expect(JSON.stringify(encodeError(secret))).not.toContain("secret")
  })

  it("makes a store error of what it does not know, and never throws", () => {
    expect(decodeError({ tag: "Novelty" })._tag).toBe("StoreError")
    fc.assert(
      fc.property(
        fc.constantFrom(...errors.map(({ _tag }) => _tag), "x"),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (tag, rest) => {
          expect(decodeError({ ...rest, tag }).message).toEqual(expect.any(String))
        }
      )
    )
  })
})
