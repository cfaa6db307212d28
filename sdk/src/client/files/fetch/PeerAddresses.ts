/** Which of the addresses that another device names may be used, so that nobody has this one connect to anything else. */
import * as AddressClass from "../../../protocol/registration/AddressClass.ts"
import * as Limits from "../../../protocol/Limits.ts"
import * as SocketAddress from "../../../protocol/files/SocketAddress.ts"
import type { Addresses } from "../../../services/BlobTransport.ts"

/** The addresses at which one device can be, each once. */
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

/** The class of a relay's host, and whether the way there is encrypted. */
const placeOf = (relayUrl: string): string => {
  const { hostname, protocol } = new URL(relayUrl)
  return `${protocol} ${AddressClass.ofHost(hostname) ?? "public"}`
}

const isPublic = (relayUrl: string): boolean => placeOf(relayUrl) === "https: public"

/** Whether {@link usable} depends on what this device's own addresses are. */
export const isDoubtful = ({ direct, relayUrl }: Addresses): boolean =>
  direct.some(isLoopback) || (relayUrl !== undefined && !isPublic(relayUrl))

/**
 * What of a peer's addresses this device may use, given its own: loopback only where it is there itself, as two devices
 * on one machine are, and a relay that is public or in a place like that of its own relay. Iroh looks the names of relays
 * up itself, so these are judged by their URLs alone.
 */
export const usable = (own: Addresses, theirs: Addresses): Addresses => {
  const isHere = own.direct.some(isLoopback)
  const direct = theirs.direct.filter((address) => isHere || !isLoopback(address))
  const { relayUrl } = theirs
  if (relayUrl === undefined) return { direct }
  const isLikeOwn = own.relayUrl !== undefined && placeOf(relayUrl) === placeOf(own.relayUrl)
  return isPublic(relayUrl) || isLikeOwn ? { direct, relayUrl } : { direct }
}
