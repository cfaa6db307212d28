/** Which addresses of a peer may be dialled, so that it cannot make this device connect to anything else. */
import { AddressClass, Limits } from "../../../protocol/index.ts"
import * as SocketAddress from "../../../protocol/files/SocketAddress.ts"
import type { Addresses } from "../../../services/BlobTransport.ts"

/** The addresses that a device can have, without duplicates. */
export const dialable = (texts: ReadonlyArray<string>): ReadonlyArray<string> => {
  const kept = new Set<string>()
  for (const text of texts) {
    const address = SocketAddress.parse(text)
    if (address === undefined || address.port === 0 || AddressClass.ofIp(address.ip) === "unusable") continue
    kept.add(SocketAddress.format(address))
  }
  return [...kept].slice(0, Limits.addressesMax)
}

/** Whether a text is the URL of a relay. */
export const isRelay = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "" && url.username + url.password === ""
}

const isLoopback = (address: string): boolean => AddressClass.isLoopback(address.replace(/:\d+$/, ""))

/** The scheme of a relay's URL and the address class of its host. */
const networkOf = (relayUrl: string): string => {
  const { hostname, protocol } = new URL(relayUrl)
  return `${protocol} ${AddressClass.ofHost(hostname) ?? "public"}`
}

const isPublic = (relayUrl: string): boolean => networkOf(relayUrl) === "https: public"

/** Whether {@link usable} depends on this device's own addresses. */
export const isDoubtful = ({ direct, relayUrl }: Addresses): boolean =>
  direct.some(isLoopback) || (relayUrl !== undefined && !isPublic(relayUrl))

/**
 * The addresses of a peer that this device may use, given its own: loopback only if it listens there itself, as two
 * devices on one machine do, and a relay that is public or in a network like that of its own relay. Iroh resolves the
 * names of relays itself, so relays are judged by their URLs alone.
 */
export const usable = (own: Addresses, theirs: Addresses): Addresses => {
  const isLocal = own.direct.some(isLoopback)
  const direct = theirs.direct.filter((address) => isLocal || !isLoopback(address))
  const { relayUrl } = theirs
  if (relayUrl === undefined) return { direct }
  const isLikeOwn = own.relayUrl !== undefined && networkOf(relayUrl) === networkOf(own.relayUrl)
  return isPublic(relayUrl) || isLikeOwn ? { direct, relayUrl } : { direct }
}
