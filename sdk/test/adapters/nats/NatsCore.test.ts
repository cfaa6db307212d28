import * as fc from "fast-check"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import * as Answer from "../../../src/adapters/nats-core/Answer.ts"
import * as Delivery from "../../../src/adapters/nats-core/Delivery.ts"
import * as Eviction from "../../../src/adapters/nats-core/Eviction.ts"
import * as Login from "../../../src/adapters/nats-core/Login.ts"
import * as Target from "../../../src/adapters/nats-core/Target.ts"
import type { BrokerLogin } from "../../../src/services/Broker.ts"

const hex = "ab".repeat(32)
const other = "cd".repeat(32)
const good: Record<string, ReadonlyArray<string>> = {
  "Nats-Stream": ["KEZ_INBOX"],
  "Nats-Subject": [`kez.inbox.${hex}`],
  "Nats-Sequence": ["7"],
  "Nats-Last-Sequence": ["3"],
  "Nats-Time-Stamp": ["2026-11-23T06:14:51.123456789Z"]
}
const accept = (change: Record<string, ReadonlyArray<string>>, frame = Uint8Array.of(1)) => {
  const headers = { ...good, ...change }
  return Delivery.accept(hex, (name) => headers[name] ?? [], frame)
}

describe("deliveries", () => {
  it("KEZ-NAT-035 takes what the stream stored in the inbox or among the own copies", () => {
    expect(accept({})).toEqual({
      subject: "inbox",
      seq: 7,
      lastSeq: 3,
      timeMillis: Date.parse("2026-11-23T06:14:51.123Z"),
      frame: Uint8Array.of(1)
    })
    expect(accept({ "Nats-Subject": [`kez.self.${hex}`], "Nats-Last-Sequence": ["0"] })).toMatchObject({
      subject: "self",
      lastSeq: 0
    })
  })

  it.each<[string, Record<string, ReadonlyArray<string>>]>([
    ["no stream", { "Nats-Stream": [] }],
    ["another stream", { "Nats-Stream": ["KEZ_OTHER"] }],
    ["two streams", { "Nats-Stream": ["KEZ_INBOX", "KEZ_INBOX"] }],
    ["no subject", { "Nats-Subject": [] }],
    ["another's inbox", { "Nats-Subject": [`kez.inbox.${other}`] }],
    ["another's copies", { "Nats-Subject": [`kez.self.${other}`] }],
    ["a subject that is no mailbox", { "Nats-Subject": [`kez.dlv.${hex}`] }],
    ["no number", { "Nats-Sequence": [] }],
    ["a number below its predecessor", { "Nats-Sequence": ["3"] }],
    ["a number in another spelling", { "Nats-Sequence": ["07"] }],
    ["a number too large", { "Nats-Sequence": ["9007199254740993"] }],
    ["a negative number", { "Nats-Last-Sequence": ["-1"] }],
    ["no time", { "Nats-Time-Stamp": [] }],
    ["a time that is none", { "Nats-Time-Stamp": ["yesterday"] }]
  ])("KEZ-NAT-035 drops a message with %s", (_what, change) => {
    expect(accept(change)).toBeUndefined()
  })

  it("KEZ-NAT-035 drops frames that are empty or too large", () => {
    expect(accept({}, new Uint8Array(0))).toBeUndefined()
    expect(accept({}, new Uint8Array(65_537))).toBeUndefined()
    expect(accept({}, new Uint8Array(65_536))).toBeDefined()
  })

  it("KEZ-NAT-036 never throws, whatever the headers say", () => {
    const values = fc.array(fc.oneof(fc.string(), fc.constantFrom(...Object.values(good).flat())), { maxLength: 3 })
    const headers = fc.dictionary(fc.constantFrom(...Object.keys(good)), values)
    fc.assert(fc.property(headers, fc.uint8Array({ maxLength: 50 }), (change, frame) => void accept(change, frame)))
  })
})

describe("answers", () => {
  const parse = (text: string) => Answer.parse(Buffer.from(text))

  it("says whether another try can succeed", () => {
    expect(parse('{"ok":1}')).toBe("ok")
    for (const code of ["full", "slow", "retry"])
      expect(parse(`{"e":"${code}"}`)).toMatchObject({ code, retryable: true })
    for (const code of ["unknown", "bad", "size"])
      expect(parse(`{"e":"${code}"}`)).toMatchObject({ code, retryable: false })
    expect(parse("ok")).toBeUndefined()
  })
})

describe("broker URLs", () => {
  const tcp = { plain: "nats", encrypted: "tls" }
  const websocket = { plain: "ws", encrypted: "wss" }

  it("KEZ-NAT-003 binds a login to the host of the URL", () => {
    expect(Result.getOrThrow(Target.parse("nats://LOCALHOST:4222", tcp))).toMatchObject({
      host: "localhost",
      encrypted: false
    })
    expect(Result.getOrThrow(Target.parse("tls://nats.Kez.lat.:4222", tcp))).toMatchObject({
      host: "nats.kez.lat",
      encrypted: true
    })
    expect(Result.getOrThrow(Target.parse("wss://kez.lat/nats", websocket))).toMatchObject({
      host: "kez.lat",
      encrypted: true
    })
    expect(Result.getOrThrow(Target.parse("ws://[::1]:8443", websocket))).toMatchObject({
      host: "[::1]",
      encrypted: false
    })
  })

  it("KEZ-NAT-041 takes nats:// elsewhere only with TLS, and ws:// not at all", () => {
    expect(Result.getOrThrow(Target.parse("nats://kez.lat", tcp)).encrypted).toBe(true)
    expect(Result.isFailure(Target.parse("ws://kez.lat", websocket))).toBe(true)
    expect(Result.isFailure(Target.parse("ws://127.0.0.1.evil.example", websocket))).toBe(true)
    expect(Result.isFailure(Target.parse("ws://10.0.0.1", websocket))).toBe(true)
  })

  it.each(["http://kez.lat", "kez.lat:4222", "nats://user:pass@127.0.0.1", "nats://", "", "wss://kez.lat"])(
    "refuses %s over TCP",
    (url) => {
      expect(Result.isFailure(Target.parse(url, tcp))).toBe(true)
    }
  )
})

describe("the authenticator", () => {
  const signed: Array<string> = []
  const login: BrokerLogin = {
    account: { hex } as BrokerLogin["account"],
    nkey: "UTEST",
    sign: (host, nonce) => {
      signed.push(`${host} ${nonce}`)
      return new Uint8Array(64)
    }
  }

  it("KEZ-NAT-001 signs for the dialled host and the broker's nonce", () => {
    const { authenticator, refused } = Login.make(login, "kez.lat")
    expect(authenticator("abcdefghijklmn0")).toEqual({ nkey: "UTEST", sig: "A".repeat(86) })
    expect(signed.splice(0)).toEqual(["kez.lat abcdefghijklmn0"])
    expect(refused()).toBeUndefined()
  })

  it.each([
    undefined,
    "",
    "abcdefghijklmn",
    "abcdefghijklmn01",
    "abcdefghijklm.0",
    "kez.claim......",
    "abcdefg\u0000ijklmn0"
  ])("KEZ-NAT-002 signs nothing for the nonce %j", (nonce) => {
    const { authenticator, refused } = Login.make(login, "kez.lat")
    expect(authenticator(nonce)).toBeUndefined()
    expect(signed).toEqual([])
    expect(refused()).toMatch(/nonce/)
  })

  it("does not throw into nats.js when the key cannot sign", () => {
    const broken = {
      ...login,
      sign: () => {
        throw new Error("locked")
      }
    }
    const { authenticator, refused } = Login.make(broken, "kez.lat")
    expect(authenticator("abcdefghijklmn0")).toBeUndefined()
    expect(refused()).toMatch(/sign/)
  })
})

describe("eviction", () => {
  const soon: Eviction.End = { _tag: "Closed", heldMillis: 59_999, server: "N1" }
  const late: Eviction.End = { _tag: "Closed", heldMillis: 60_000, server: "N1" }
  const elsewhere: Eviction.End = { _tag: "Closed", heldMillis: 1, server: "N2" }
  const refused: Eviction.End = { _tag: "Refused" }
  const lost: Eviction.End = { _tag: "Lost" }
  const isEvicted = (...ends: ReadonlyArray<Eviction.End>) =>
    Eviction.isEvicted(ends.reduce(Eviction.count, Eviction.none))

  it("KEZ-NAT-053 is three closures in a row within a minute of login", () => {
    expect(isEvicted(soon, soon)).toBe(false)
    expect(isEvicted(soon, soon, soon)).toBe(true)
    expect(isEvicted(soon, refused, soon, soon)).toBe(true)
    expect(Eviction.waitMillis).toBe(600_000)
  })

  it("KEZ-NAT-053 is none where a connection held, the home was out of reach, or logins are refused", () => {
    expect(isEvicted(soon, soon, late, soon, soon)).toBe(false)
    expect(isEvicted(soon, soon, lost, soon, soon)).toBe(false)
    expect(isEvicted(soon, refused, refused, refused)).toBe(false)
    // A server that is started again takes a new id.
    expect(isEvicted(soon, soon, elsewhere, soon, elsewhere)).toBe(false)
    expect(isEvicted(soon, elsewhere, elsewhere, elsewhere)).toBe(true)
  })
})
