/** Network addresses as text, `ip:port` and `[ip]:port`, as used in tickets and `address` bodies. */

export interface SocketAddress {
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array
  readonly port: number
}

/** Parses an address; undefined for anything else. IPv6 follows RFC 4291 section 2.2, without a zone. */
export const parse = (text: string): SocketAddress | undefined => {
  const match = /^(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9a-f:.]{2,45})\]):(\d{1,5})$/i.exec(text)
  const ip = match?.[1] === undefined ? ipv6Bytes(match?.[2] ?? "") : ipv4Bytes(match[1])
  const port = Number(match?.[3] ?? NaN)
  return ip === undefined || !(port <= 0xffff) ? undefined : { ip, port }
}

/** The canonical text of an address: IPv6 in its shortest form, in brackets. */
export const format = ({ ip, port }: SocketAddress): string => {
  if (ip.length === 4) return `${ip.join(".")}:${port}`
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((ip[2 * i] as number) << 8) | (ip[2 * i + 1] as number)).toString(16)
  )
  return `${new URL(`http://[${groups.join(":")}]/`).hostname}:${port}`
}

const ipv4Bytes = (text: string): Uint8Array | undefined => {
  const parts = text.split(".").map(Number)
  return parts.every((part) => part <= 255) ? Uint8Array.from(parts) : undefined
}

const ipv6Bytes = (text: string): Uint8Array | undefined => {
  if (!URL.canParse(`http://[${text}]/`)) return undefined
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::")
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((group) => parseInt(group, 16)))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}
