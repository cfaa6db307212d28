import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { Bytes, Ticket } from "../../../src/protocol/index.ts"
import { alice, bob, carol, ok } from "../../kits/Accounts.ts"
import { codeOf, fuzzText } from "../../kits/DecoderKit.ts"

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
const port = fc.integer({ min: 0, max: 65_535 })
const address = fc.oneof(
  fc.tuple(fc.ipV4(), port).map(([ip, at]) => `${ip}:${at}`),
  fc.tuple(fc.ipV6(), port).map(([ip, at]) => `[${ip}]:${at}`)
)
const tickets: fc.Arbitrary<Ticket.Ticket> = fc.record(
  {
    endpoint: fc.constantFrom(alice.key, bob.key, carol.key),
    relayUrl: fc.constantFrom("https://relay.example/", "http://127.0.0.1:3340/"),
    addresses: fc.array(address, { maxLength: 5 }),
    format: fc.constantFrom("raw" as const, "hashSeq" as const),
    hash
  },
  { requiredKeys: ["endpoint", "addresses", "format", "hash"] }
)

describe("Ticket", () => {
  it("KEZ-FIL-012 reads what it writes, addresses sorted and once each", () => {
    fc.assert(
      fc.property(tickets, (ticket) => {
        const text = Ticket.encode(ticket)
        const read = ok(Ticket.decode(text))
        assert.strictEqual(Ticket.encode(read), text)
        const { addresses: written, ...rest } = ticket
        const { addresses, ...others } = read
        assert.deepStrictEqual(others, rest)
        assert.isAtMost(addresses.length, written.length)
        assert.strictEqual(new Set(addresses).size, addresses.length)
        assert.strictEqual(Ticket.encode({ ...read, addresses: [...addresses, ...addresses].toReversed() }), text)
      })
    )
  })

  it("refuses to write what is no address", () => {
    const ticket = { endpoint: alice.key, addresses: [], format: "raw" as const, hash: new Uint8Array(32) }
    for (const wrong of [
      "",
      "1.2.3.4",
      "1.2.3.256:1",
      "[::1]",
      "[::g]:1",
      "1.2.3.4:65536",
      "host:1",
      "[fe80::1%eth0]:1"
    ]) {
      assert.throws(() => Ticket.encode({ ...ticket, addresses: [wrong] }), RangeError)
    }
  })

  it("KEZ-FIL-013 answers every text", () => fuzzText(Ticket.decode, tickets.map(Ticket.encode), 1500))

  it("KEZ-FIL-013 has one text for one ticket", () => {
    fc.assert(
      fc.property(tickets.map(Ticket.encode), fc.nat(), fc.constantFrom(..."abc234567"), (text, at, put) => {
        const index = 4 + (at % (text.length - 4))
        const other = text.slice(0, index) + put + text.slice(index + 1)
        const read = Ticket.decode(other)
        if (read._tag === "Success") assert.strictEqual(Ticket.encode(read.success), other)
      }),
      { numRuns: 500 }
    )
  })

  it("KEZ-FIL-008 takes a shared ticket only from its owner, for its blob", () => {
    const blobHash = new Uint8Array(32).fill(7)
    const ticket: Ticket.Ticket = { endpoint: alice.key, addresses: [], format: "raw", hash: blobHash }
    const expected = { owner: alice.key, blobHash: `blake3:${Bytes.toHex(blobHash)}` }
    const code = (change: Partial<Ticket.Ticket>) =>
      codeOf(Ticket.decodeShared(Ticket.encode({ ...ticket, ...change }), expected))
    assert.strictEqual(code({}), "accepted")
    assert.strictEqual(code({ relayUrl: "https://relay.example/" }), "accepted")
    assert.strictEqual(code({ endpoint: bob.key }), "ticket_mismatch")
    assert.strictEqual(code({ hash: new Uint8Array(32) }), "ticket_mismatch")
    assert.strictEqual(code({ format: "hashSeq" }), "ticket_mismatch")
    assert.strictEqual(code({ addresses: ["10.0.0.1:80"] }), "ticket_mismatch")
  })
})
