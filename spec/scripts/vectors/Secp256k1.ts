/** BIP-340 signatures in big integers, for the one vector that needs them. Slow and not constant time. */
import { bytes } from "./Bytes.ts"
import { sha256 } from "./Primitives.ts"

const p = 2n ** 256n - 2n ** 32n - 977n
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
type Point = { readonly x: bigint; readonly y: bigint } | undefined
const base: Point = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n
}

const mod = (a: bigint, m: bigint): bigint => ((a % m) + m) % m
const invert = (a: bigint): bigint => {
  let result = 1n
  for (let b = mod(a, p), e = p - 2n; e > 0n; e >>= 1n, b = (b * b) % p) if (e & 1n) result = (result * b) % p
  return result
}
const add = (a: Point, b: Point): Point => {
  if (a === undefined) return b
  if (b === undefined) return a
  if (a.x === b.x && a.y !== b.y) return undefined
  const slope = a.x === b.x ? 3n * a.x * a.x * invert(2n * a.y) : (b.y - a.y) * invert(mod(b.x - a.x, p))
  const x = mod(slope * slope - a.x - b.x, p)
  return { x, y: mod(slope * (a.x - x) - a.y, p) }
}
const multiply = (scalar: bigint): { readonly x: bigint; readonly y: bigint } => {
  let result: Point
  for (let n = scalar, q: Point = base; n > 0n; n >>= 1n, q = add(q, q)) if (n & 1n) result = add(result, q)
  if (result === undefined) throw new RangeError("the scalar is a multiple of the order")
  return result
}

const toBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, "0"), "hex")
const toInteger = (data: Uint8Array): bigint => BigInt(`0x${Buffer.from(data).toString("hex")}`)
const tagged = (tag: string, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const hash = sha256(bytes(tag))
  return sha256(bytes(hash, hash, ...parts))
}

/** The x-only public key of a secret key. */
export const publicKey = (secret: Uint8Array): Buffer => toBytes(multiply(toInteger(secret)).x)

/** Signs with auxiliary bytes of zero. */
export const sign = (secret: Uint8Array, message: Uint8Array): Buffer => {
  const own = multiply(toInteger(secret))
  const d = own.y & 1n ? order - toInteger(secret) : toInteger(secret)
  const mask = toBytes(d ^ toInteger(tagged("BIP0340/aux", Buffer.alloc(32))))
  const nonce = toInteger(tagged("BIP0340/nonce", mask, toBytes(own.x), message)) % order
  const point = multiply(nonce)
  const k = point.y & 1n ? order - nonce : nonce
  const e = toInteger(tagged("BIP0340/challenge", toBytes(point.x), toBytes(own.x), message)) % order
  return bytes(toBytes(point.x), toBytes(mod(k + e * d, order)))
}

/** bech32 (BIP-173) of 32 bytes under `npub`. */
export const npub = (key: Uint8Array): string => {
  const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
  const bits = [...key].map((value) => value.toString(2).padStart(8, "0")).join("")
  const data = (bits.match(/.{1,5}/g) ?? []).map((five) => Number.parseInt(five.padEnd(5, "0"), 2))
  const polymod = (values: ReadonlyArray<number>): number => {
    let checksum = 1
    for (const value of values) {
      const top = checksum >>> 25
      checksum = ((checksum & 0x1ffffff) << 5) ^ value
      for (const [i, generator] of [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].entries()) {
        if ((top >> i) & 1) checksum ^= generator
      }
    }
    return checksum ^ 1
  }
  const prefix = [..."npub"].map((c) => c.charCodeAt(0))
  const expanded = [...prefix.map((c) => c >> 5), 0, ...prefix.map((c) => c & 31)]
  const checksum = polymod([...expanded, ...data, 0, 0, 0, 0, 0, 0])
  const tail = Array.from({ length: 6 }, (_, i) => (checksum >> (5 * (5 - i))) & 31)
  return `npub1${[...data, ...tail].map((value) => alphabet[value]).join("")}`
}
