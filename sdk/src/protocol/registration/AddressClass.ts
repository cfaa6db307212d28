/**
 * Classifies addresses by IANA's special-purpose registries (RFC 6890), and decides which classes a home may name
 * (spec: registration). The only definition of loopback: plaintext is allowed only there, and only a home on this
 * machine may name it.
 */
import * as SocketAddress from "../files/SocketAddress.ts"

/**
 * - `public`: globally reachable.
 * - `private`: RFC 1918, unique local IPv6 (fc00::/7), site-local (fec0::/10), local-use NAT64 (64:ff9b:1::/48).
 * - `shared`: carrier-grade NAT (100.64.0.0/10).
 * - `link_local`: 169.254.0.0/16 (cloud metadata services among them) and fe80::/10.
 * - `loopback`: this machine.
 * - `special`: other blocks that are not globally reachable: documentation, benchmarks, protocol assignments. Some
 * networks use them anyway.
 * - `unusable`: no single device can have it: unspecified, multicast, reserved, broadcast.
 */
export type AddressClass = "public" | "private" | "shared" | "link_local" | "loopback" | "special" | "unusable"

interface Block {
  readonly ip: ReadonlyArray<number>
  readonly bits: number
  readonly is: AddressClass
}

const block = (ip: ReadonlyArray<number>, bits: number, is: AddressClass): Block => ({ ip, bits, is })

/** The first block that contains an address decides; an address in none is public. */
const ipv4Blocks: ReadonlyArray<Block> = [
  block([0], 8, "unusable"),
  block([10], 8, "private"),
  block([100, 64], 10, "shared"),
  block([127], 8, "loopback"),
  block([169, 254], 16, "link_local"),
  block([172, 16], 12, "private"),
  block([192, 0, 0], 24, "special"),
  block([192, 0, 2], 24, "special"),
  block([192, 88, 99], 24, "special"),
  block([192, 168], 16, "private"),
  block([198, 18], 15, "special"),
  block([198, 51, 100], 24, "special"),
  block([203, 0, 113], 24, "special"),
  block([224], 4, "unusable"),
  block([240], 4, "unusable")
]

/** The same for IPv6, where only 2000::/3 is globally assigned: an address in none of these blocks is special. */
const ipv6Blocks: ReadonlyArray<Block> = [
  block([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 128, "loopback"),
  block([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 96, "unusable"),
  block([0x00, 0x64, 0xff, 0x9b, 0x00, 0x01], 48, "private"),
  block([0x20, 0x01, 0x00], 23, "special"),
  block([0x20, 0x01, 0x0d, 0xb8], 32, "special"),
  block([0x3f, 0xff, 0x00], 20, "special"),
  block([0x20], 3, "public"),
  block([0xfc], 7, "private"),
  block([0xfe, 0x80], 10, "link_local"),
  block([0xfe, 0xc0], 10, "private"),
  block([0xff], 8, "unusable")
]

/** Prefixes of IPv6 addresses that embed an IPv4 address, with the byte at which it begins. */
const embeddings: ReadonlyArray<{ readonly prefix: ReadonlyArray<number>; readonly at: number }> = [
  // Mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], at: 12 },
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 },
  { prefix: [0x20, 0x02], at: 2 }
]

const isWithin = (ip: Uint8Array, { bits, ip: first }: Block): boolean => {
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 0xff : (0xff << (8 - (bits - bit))) & 0xff
    if (((ip[bit / 8] as number) & mask) !== ((first[bit / 8] ?? 0) & mask)) return false
  }
  return true
}

/** The class of an address of 4 or 16 bytes. An embedded IPv4 address decides. */
export const ofIp = (ip: Uint8Array): AddressClass => {
  if (ip.length === 4) return ipv4Blocks.find((candidate) => isWithin(ip, candidate))?.is ?? "public"
  const embedding = embeddings.find(({ prefix }) => prefix.every((byte, i) => ip[i] === byte))
  if (embedding !== undefined) return ofIp(ip.subarray(embedding.at, embedding.at + 4))
  return ipv6Blocks.find((candidate) => isWithin(ip, candidate))?.is ?? "special"
}

/** Names outside the public DNS (RFC 6761, 6762 and 8375, and unregistered names in common use). */
const localNames = /(?:^|\.)(?:local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa)$/

/**
 * The class of a URL's host without a lookup: of an address in any spelling, or of a name that means this machine
 * (`localhost` and names under it) or this network. Undefined for any other name: its addresses decide.
 */
export const ofHost = (host: string): AddressClass | undefined => {
  const bare = host.replace(/^\[|\]$/g, "")
  // The URL parser reads addresses in all spellings, but would also accept a whole URL as a host.
  const url = /[/?#@\\\s]/.test(bare) ? null : URL.parse(`http://${bare.includes(":") ? `[${bare}]` : bare}/`)
  const name = url?.hostname.replace(/\.$/, "")
  if (name === undefined || name === "") return "unusable"
  const ip = SocketAddress.parse(`${name}:0`)?.ip
  if (ip !== undefined) return ofIp(ip)
  if (/(?:^|\.)localhost$/.test(name)) return "loopback"
  return localNames.test(name) || !name.includes(".") ? "private" : undefined
}

/** Whether a URL's host, or an address with or without brackets, is loopback. Names are not looked up. */
export const isLoopback = (host: string): boolean => ofHost(host) === "loopback"

/** Whether a home of class `home` may name an address of class `named`: public, of its class, or any if loopback. */
export const mayName = (home: AddressClass, named: AddressClass): boolean =>
  named !== "unusable" && (named === "public" || named === home || home === "loopback")

/** A class in words, for a sentence such as "it is ... address". */
export const describe: Readonly<Record<AddressClass, string>> = {
  public: "a public",
  private: "a private",
  shared: "a carrier's shared",
  link_local: "a link-local",
  loopback: "a loopback",
  special: "a special-purpose",
  unusable: "an unusable"
}
