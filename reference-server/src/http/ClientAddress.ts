/** The client's address: the peer's, or the one that a trusted reverse proxy names. */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { IncomingMessage } from "node:http"
import { BlockList, isIP, type Socket } from "node:net"
import { incoming } from "./RequestBody.ts"

/** The address that a request is counted under. */
export type ClientAddress = (request: IncomingMessage) => string

const plain = (address: string): string => (address.startsWith("::ffff:") ? address.slice(7) : address)

const family = (address: string): "ipv4" | "ipv6" => (isIP(address) === 6 ? "ipv6" : "ipv4")

/** Makes a trusted list from addresses and CIDR ranges; throws a sentence naming an entry that is neither. */
const blockList = (entries: ReadonlyArray<string>): BlockList => {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = "", prefix, ...rest] = entry.split("/")
    const bits = family(address) === "ipv6" ? 128 : 32
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
    if (isIP(address) === 0 || length < 0 || length > bits || rest.length > 0) {
      throw new Error(`--trusted-proxies: ${entry} is neither an address nor a CIDR range`)
    }
    list.addSubnet(address, length, family(address))
  }
  return list
}

/** The address at the other end of a connection; empty once it is gone. */
export const peerAddress = (socket: Pick<Socket, "remoteAddress">): string => plain(socket.remoteAddress ?? "")

const peerOf = (request: IncomingMessage): string => peerAddress(request.socket)

/** Whether a peer is a trusted proxy, which stands for many clients. */
export const isTrustedProxy = (trustedProxies: ReadonlyArray<string>): ((peer: string) => boolean) => {
  const trusted = blockList(trustedProxies)
  return (peer) => isIP(peer) !== 0 && trusted.check(peer, family(peer))
}

/**
 * Trusts `X-Forwarded-For` from trusted peers only, and takes its last entry that is not itself a trusted proxy:
 * everything left of it is the client's own claim.
 */
export const clientAddress = (trustedProxies: ReadonlyArray<string>): ClientAddress => {
  if (trustedProxies.length === 0) return peerOf
  const isTrusted = isTrustedProxy(trustedProxies)
  return (request) => {
    let address = peerOf(request)
    const header = request.headers["x-forwarded-for"]
    if (typeof header !== "string") return address
    const hops = header.split(",").slice(-16)
    while (hops.length > 0 && isTrusted(address)) {
      const next = plain((hops.pop() as string).trim())
      if (isIP(next) === 0) break
      address = next
    }
    return address
  }
}

/** Eight groups of an IPv6 address, `::` written out. */
const groups = (address: string): Array<string> => {
  const [head = "", tail] = (address.split("%")[0] as string).split("::")
  const left = head === "" ? [] : head.split(":")
  const right = tail === undefined || tail === "" ? [] : tail.split(":")
  return tail === undefined
    ? left
    : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => "0"), ...right]
}

/** The key of rate limits: an IPv4 address, or the /64 that one IPv6 customer gets. */
export const rateKey = (address: string): string =>
  address.includes(":") ? `${groups(address).slice(0, 4).join(":")}::/64` : address

/** The {@link rateKey} of a request's client, for handlers. */
export const clientKey = (trustedProxies: ReadonlyArray<string>): ((request: HttpServerRequest) => string) => {
  const address = clientAddress(trustedProxies)
  return (request) => rateKey(address(incoming(request)))
}

/** The part of an address that a log line shows: its /24 or /48. */
export const loggedAddress = (address: string): string =>
  address.includes(":")
    ? `${groups(address).slice(0, 3).join(":")}::/48`
    : address.includes(".")
      ? `${address.slice(0, address.lastIndexOf("."))}.0/24`
      : "unknown"
