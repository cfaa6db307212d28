/**
 * Tickets of iroh-blobs: `blob` and the base32 of postcard(variant 0, endpoint, relay?, addresses, format, hash).
 * Compatible with native Iroh programs. Tickets inside messages and manifests carry no direct addresses (spec: files).
 */
import { base32nopad } from "@scure/base"
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Blake3 from "./Blake3.ts"
import * as Hash from "../encoding/Hash.ts"
import { admit, type AdmittedKey } from "../identity/KeyAdmission.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"
import * as SocketAddress from "./SocketAddress.ts"

export interface Ticket {
  /** The device that has the blob. */
  readonly endpoint: AdmittedKey
  readonly relayUrl?: string
  /** Direct addresses, `ip:port` and `[ip]:port`. */
  readonly addresses: ReadonlyArray<string>
  /** A blob, or a blob that lists the hashes of others. */
  readonly format: "raw" | "hashSeq"
  /** 32 bytes: BLAKE3 of the blob. */
  readonly hash: Uint8Array
}

type Address = SocketAddress.SocketAddress

const prefix = "blob"

/** The text of a ticket, its relay as a normalised URL. Throws for an invalid relay or address. */
export const encode = (ticket: Ticket): string => {
  const parts: Array<Uint8Array> = [Uint8Array.of(0), ticket.endpoint.ed25519]
  if (ticket.relayUrl === undefined) parts.push(Uint8Array.of(0))
  else {
    const url = Bytes.utf8(new URL(ticket.relayUrl).href)
    parts.push(Uint8Array.of(1), varint(url.length), url)
  }
  const addresses = sorted(ticket.addresses.map(addressOf))
  parts.push(varint(addresses.length), ...addresses.map(({ ip, port }) => socket(ip, port)))
  parts.push(Uint8Array.of(ticket.format === "raw" ? 0 : 1), ticket.hash)
  return prefix + base32nopad.encode(Bytes.concat(...parts)).toLowerCase()
}

/** Parses a ticket that {@link encode} could write. Fails with `ticket_malformed` or `key_rejected`. */
export const decode = (text: string): Result.Result<Ticket, Problem> => {
  if (text.length > Limits.ticketMax) return malformed(`longer than ${Limits.ticketMax} characters`)
  if (!/^blob[a-z2-7]+$/.test(text)) return malformed("expected blob and lower-case base32")
  let bytes: Uint8Array
  try {
    bytes = base32nopad.decode(text.slice(prefix.length).toUpperCase())
  } catch {
    return malformed("not base32")
  }
  return Result.gen(function* () {
    const reader = new Reader(bytes)
    if ((yield* reader.byte()) !== 0) return yield* malformed("an unknown variant")
    const endpoint = yield* admit(yield* reader.take(Limits.keyBytes))
    const relay = (yield* reader.flag()) ? { relayUrl: yield* relayUrl(yield* reader.text(Limits.urlMax)) } : {}
    const addresses: Array<string> = []
    const count = yield* reader.varint(Limits.addressesMax)
    for (let i = 0; i < count; i++) {
      const ip = yield* reader.take((yield* reader.flag()) ? 16 : 4)
      addresses.push(SocketAddress.format({ ip, port: yield* reader.varint(0xffff) }))
    }
    const format = (yield* reader.flag()) ? "hashSeq" : "raw"
    const hash = yield* reader.take(Blake3.hashBytes)
    const ticket: Ticket = { endpoint, ...relay, addresses, format, hash }
    // Re-encoding rejects wrong order, duplicate addresses, overlong integers and trailing bytes: one ticket has one
    // text.
    return encode(ticket) === text ? ticket : yield* malformed("not in its canonical form")
  })
}

/** The expected owner and blob of a ticket in a message or entry. */
export interface Expected {
  /** The author of the message or the owner of the manifest. */
  readonly owner: AdmittedKey
  /** `blake3:<hex>`. */
  readonly blobHash: string
}

/**
 * The ticket of a shared file: it must lead to its owner's device and to the file's blob and contain no direct address,
 * or it is `ticket_mismatch`. Otherwise anyone could make a reader connect to a third party.
 */
export const decodeShared = (text: string, expected: Expected): Result.Result<Ticket, Problem> =>
  Result.flatMap(decode(text), (ticket) => {
    if (ticket.endpoint.hex !== expected.owner.hex) {
      return fail("ticket_mismatch", `it leads to the device of ${ticket.endpoint.hex}, not to its author's`)
    }
    if (Hash.format("blake3", ticket.hash) !== expected.blobHash) {
      return fail("ticket_mismatch", "it is for another blob")
    }
    if (ticket.format !== "raw") return fail("ticket_mismatch", "it is for a collection, not for a file")
    if (ticket.addresses.length > 0) return fail("ticket_mismatch", "it carries direct addresses")
    return Result.succeed(ticket)
  })

const malformed = (detail: string) => fail("ticket_malformed", detail)

const relayUrl = (text: string): Result.Result<string, Problem> =>
  /^https?:\/\/\S+$/.test(text) && URL.canParse(text)
    ? Result.succeed(text)
    : malformed("the relay is not an http(s) URL")

/** Postcard: seven bits per byte, the lowest first. */
const varint = (value: number): Uint8Array => {
  const bytes: Array<number> = []
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) return Uint8Array.from(bytes)
  }
}

class Reader {
  private at = 0
  private readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
  take(length: number): Result.Result<Uint8Array, Problem> {
    if (this.at + length > this.bytes.length) return malformed("it ends early")
    this.at += length
    return Result.succeed(this.bytes.slice(this.at - length, this.at))
  }
  byte(): Result.Result<number, Problem> {
    return Result.map(this.take(1), (bytes) => bytes[0] as number)
  }
  /** An option's tag or a two-valued enumeration. */
  flag(): Result.Result<boolean, Problem> {
    return Result.flatMap(this.byte(), (byte) => (byte <= 1 ? Result.succeed(byte === 1) : malformed("a wrong tag")))
  }
  varint(max: number): Result.Result<number, Problem> {
    let value = 0
    for (let shift = 0; shift < 21; shift += 7) {
      const byte = this.byte()
      if (Result.isFailure(byte)) return byte
      value |= (byte.success & 0x7f) << shift
      if (byte.success <= 0x7f) return value <= max ? Result.succeed(value) : malformed("an integer is too large")
    }
    return malformed("an integer is too long")
  }
  text(max: number): Result.Result<string, Problem> {
    return Result.flatMap(this.varint(max), (length) => Result.flatMap(this.take(length), Bytes.fromUtf8))
  }
}

const socket = (ip: Uint8Array, port: number): Uint8Array =>
  Bytes.concat(Uint8Array.of(ip.length === 4 ? 0 : 1), ip, varint(port))

/** Rust's order of socket addresses, without duplicates: IPv4 first, then by address, then by port. */
const sorted = (addresses: ReadonlyArray<Address>): ReadonlyArray<Address> => {
  const order = (a: Address, b: Address): number => {
    if (a.ip.length !== b.ip.length) return a.ip.length - b.ip.length
    const at = a.ip.findIndex((byte, i) => byte !== b.ip[i])
    return at === -1 ? a.port - b.port : (a.ip[at] as number) - (b.ip[at] as number)
  }
  return addresses.toSorted(order).filter((address, i, all) => i === 0 || order(all[i - 1] as Address, address) !== 0)
}

const addressOf = (text: string): Address => {
  const address = SocketAddress.parse(text)
  if (address === undefined) throw new RangeError(`not an address: ${text}`)
  return address
}
