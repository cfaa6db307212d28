/**
 * NATS's text form of a secret seed (`SU...`, `SA...`, `SX...`): base32 of prefix, type, 32 bytes and CRC-16.
 *
 * Only the home server's own five keys and its xkey are ever written this way; users' seeds never leave their devices.
 */
import { randomBytes } from "node:crypto"

/** What a key may do on the broker: sign as an account, log in as a user, or encrypt (xkey). */
export type KeyRole = "account" | "user" | "curve"

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
const seedPrefix = 18 << 3
const roleByte = { account: 0, user: 20 << 3, curve: 23 << 3 } as const satisfies Record<KeyRole, number>
/** 2 bytes of prefix and type, 32 of seed, 2 of checksum make 58 characters. */
const seedCharacters = 58

/** A new seed of 32 random bytes. */
export const generate = (role: KeyRole): string => encode(role, randomBytes(32))

/** The text form of a 32-byte seed. */
export const encode = (role: KeyRole, seed: Uint8Array): string => {
  const type = roleByte[role]
  const body = Buffer.concat([Buffer.from([seedPrefix | (type >> 5), (type & 31) << 3]), seed])
  const checksum = Buffer.alloc(2)
  checksum.writeUInt16LE(crc16(body))
  return toBase32(Buffer.concat([body, checksum]))
}

/** The 32 bytes behind a text form of the given role; undefined for any other text. */
export const decode = (role: KeyRole, text: string): Uint8Array | undefined => {
  if (text.length !== seedCharacters) return undefined
  const bytes = fromBase32(text)
  if (bytes === undefined) return undefined
  const seed = bytes.subarray(2, 34)
  return encode(role, seed) === text ? Uint8Array.from(seed) : undefined
}

/** CRC-16/XMODEM: polynomial 0x1021, start 0. */
const crc16 = (bytes: Uint8Array): number => {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return crc
}

const toBase32 = (bytes: Uint8Array): string => {
  let text = ""
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) text += alphabet[(value >> (bits - 5)) & 31]
    value &= (1 << bits) - 1
  }
  return bits > 0 ? text + alphabet[(value << (5 - bits)) & 31] : text
}

const fromBase32 = (text: string): Uint8Array | undefined => {
  const bytes: Array<number> = []
  let bits = 0
  let value = 0
  for (const character of text) {
    const digit = alphabet.indexOf(character)
    if (digit < 0) return undefined
    value = (value << 5) | digit
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((value >> bits) & 255)
    }
    value &= (1 << bits) - 1
  }
  return Uint8Array.from(bytes)
}
