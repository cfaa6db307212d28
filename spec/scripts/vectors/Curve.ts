/** Edwards25519 in big integers, to make keys and signatures that libraries do not make. Slow and not constant time. */
import { sha512 } from "./Primitives.ts"

export const p = 2n ** 255n - 19n
export const order = 2n ** 252n + 27742317777372353535851937790883648493n

const mod = (a: bigint, m: bigint = p): bigint => ((a % m) + m) % m
const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = (b * b) % p) if (e & 1n) result = (result * b) % p
  return result
}
const invert = (a: bigint): bigint => power(a, p - 2n)
const d = mod(-121665n * invert(121666n))
const sqrtMinusOne = power(2n, (p - 1n) / 4n)

export interface Point {
  readonly x: bigint
  readonly y: bigint
}

export const identity: Point = { x: 0n, y: 1n }

/** RFC 8032 section 5.1.4, affine. */
export const add = (a: Point, b: Point): Point => {
  const product = mod(d * mod(a.x * b.x) * mod(a.y * b.y))
  return {
    x: mod((a.x * b.y + a.y * b.x) * invert(mod(1n + product))),
    y: mod((a.y * b.y + a.x * b.x) * invert(mod(1n - product)))
  }
}
export const multiply = (scalar: bigint, point: Point): Point => {
  let result = identity
  for (let n = scalar, q = point; n > 0n; n >>= 1n, q = add(q, q)) if (n & 1n) result = add(result, q)
  return result
}

/** The x of a point with this y and sign; undefined where there is none (RFC 8032 section 5.1.3). */
const recover = (y: bigint, sign: bigint): bigint | undefined => {
  const u = mod(y * y - 1n)
  const v = mod(d * y * y + 1n)
  let x = mod(u * power(v, 3n) * power(u * power(v, 7n), (p - 5n) / 8n))
  if (mod(v * x * x) === mod(-u)) x = mod(x * sqrtMinusOne)
  if (mod(v * x * x) !== u || (x === 0n && sign === 1n)) return undefined
  return (x & 1n) === sign ? x : mod(-x)
}

export const toLittleEndian = (value: bigint): Buffer =>
  Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse()
export const fromLittleEndian = (data: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(data).reverse().toString("hex") || "0"}`)

export const encode = (point: Point): Buffer => toLittleEndian(point.y | ((point.x & 1n) << 255n))
export const decode = (data: Uint8Array): Point | undefined => {
  const value = fromLittleEndian(data)
  const y = value & (2n ** 255n - 1n)
  const x = recover(mod(y), value >> 255n)
  return x === undefined ? undefined : { x, y: mod(y) }
}

export const base = decode(toLittleEndian(mod(4n * invert(5n)))) as Point

/** A generator of the eight points of small order. */
export const torsion8: Point = ((): Point => {
  for (let y = 2n; ; y++) {
    const point = decode(toLittleEndian(y))
    if (point === undefined) continue
    const small = multiply(order, point)
    if (multiply(4n, small).y !== 1n) return small
  }
})()

/** RFC 7748 section 4.1: u = (1 + y) / (1 - y). */
export const toMontgomery = (publicKey: Uint8Array): Buffer => {
  const y = fromLittleEndian(publicKey) & (2n ** 255n - 1n)
  return toLittleEndian(mod((1n + y) * invert(mod(1n - y))))
}

/** The challenge of RFC 8032 section 5.1.6. */
export const challenge = (r: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint =>
  fromLittleEndian(sha512(Buffer.concat([r, publicKey, message]))) % order

/** The secret scalar of a seed, clamped. */
export const scalarOf = (seed: Uint8Array): bigint => {
  const digest = Buffer.from(sha512(seed).subarray(0, 32))
  digest[0] = (digest[0] as number) & 248
  digest[31] = ((digest[31] as number) & 127) | 64
  return fromLittleEndian(digest)
}
