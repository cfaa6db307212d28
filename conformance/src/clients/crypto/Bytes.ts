/** Bytes and their text forms. */

export const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(parts)
export const utf8 = (text: string): Uint8Array => Buffer.from(text, "utf8")
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
export const fromHex = (text: string): Uint8Array => Buffer.from(text, "hex")
export const base64Url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url")
export const fromBase64Url = (text: string): Uint8Array => Buffer.from(text, "base64url")

export const u8 = (value: number): Uint8Array => Uint8Array.of(value)
export const u16 = (value: number): Uint8Array => unsigned(2, value)
export const u32 = (value: number): Uint8Array => unsigned(4, value)
export const u64 = (value: number): Uint8Array => unsigned(8, value)

const unsigned = (length: number, value: number): Uint8Array => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes.subarray(8 - length)
}

/** RFC 4648 in upper case, without padding. */
export const base32 = (bytes: Uint8Array): string => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
  let text = ""
  let value = 0
  let bits = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) text += digits[(value >>> (bits - 5)) & 31]
    value &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + digits[(value << (5 - bits)) & 31]
}
