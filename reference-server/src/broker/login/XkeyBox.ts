/**
 * NATS's sealed messages between two xkeys: `xkv1 || nonce24 || box`, a NaCl box (X25519, HSalsa20, XSalsa20-Poly1305).
 *
 * The shared key of a pair is computed once, since a broker keeps its xkey as long as it runs. That is why nkeys does
 * not do this: it agrees on a key anew for every message, in JavaScript.
 */
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js"
import { diffieHellman, randomBytes, type KeyObject } from "node:crypto"
import * as Result from "effect/Result"
import { Nkey } from "@kez-chat/sdk/protocol"
import * as RawKeys from "./RawKeys.ts"

const version = Buffer.from("xkv1")
const nonceBytes = 24
const tagBytes = 16
const maxPeers = 64

export const make = (own: KeyObject) => {
  const shared = new Map<string, Uint8Array>()
  const sharedWith = (peer: string): Uint8Array | undefined => {
    const known = shared.get(peer)
    if (known !== undefined) return known
    const key = agree(own, peer)
    if (key === undefined) return undefined
    if (shared.size >= maxPeers) shared.clear()
    shared.set(peer, key)
    return key
  }
  return {
    /** Opens a message that `peer` (an `X...` nkey) sealed to us; undefined if it does not open or `peer` is no xkey. */
    open: (peer: string, sealed: Uint8Array): Uint8Array | undefined => {
      if (sealed.length < version.length + nonceBytes + tagBytes || !version.equals(sealed.subarray(0, 4)))
        return undefined
      const key = sharedWith(peer)
      if (key === undefined) return undefined
      try {
        return xsalsa20poly1305(key, sealed.subarray(4, 4 + nonceBytes)).decrypt(sealed.subarray(4 + nonceBytes))
      } catch {
        return undefined
      }
    },
    /** Seals to `peer`; undefined when `peer` is no xkey. */
    seal: (peer: string, plaintext: Uint8Array): Uint8Array | undefined => {
      const key = sharedWith(peer)
      if (key === undefined) return undefined
      const nonce = randomBytes(nonceBytes)
      return Buffer.concat([version, nonce, xsalsa20poly1305(key, nonce).encrypt(plaintext)])
    }
  }
}

/** "expand 32-byte k" as four little-endian words. */
const sigma = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574)

/** The key of NaCl's `crypto_box_beforenm`: HSalsa20 of the X25519 secret with a zero nonce. */
const agree = (own: KeyObject, peer: string): Uint8Array | undefined => {
  const decoded = Result.getOrUndefined(Nkey.decode(peer))
  if (decoded?.prefix !== "curve") return undefined
  try {
    const secret = diffieHellman({ privateKey: own, publicKey: RawKeys.publicKey("x25519", decoded.key) })
    const key = new Uint32Array(8)
    hsalsa(sigma, words(secret), new Uint32Array(4), key)
    return Uint8Array.from(Buffer.from(key.buffer))
  } catch {
    // node:crypto refuses an all-zero secret.
    return undefined
  }
}

const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(Uint8Array.from(bytes).buffer)
