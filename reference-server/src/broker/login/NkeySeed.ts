/**
 * The text form of a secret seed (`SU...`, `SA...`, `SX...`), in which the home server keeps its own keys. Users' seeds
 * never leave their devices.
 *
 * `@nats-io/nkeys` makes and checks it. Signing and key agreement stay with node:crypto: nkeys does them in JavaScript,
 * and repeats the key agreement for every message, which is far too slow for a burst of logins.
 */
import { createPair, fromSeed, Prefix } from "@nats-io/nkeys"
import { base32nopad } from "@scure/base"

/** What a key may do on the broker: sign as an account, log in as a user, or encrypt (xkey). */
export type KeyRole = "account" | "user" | "curve"

const prefixes = { account: Prefix.Account, user: Prefix.User, curve: Prefix.Curve } as const
const publicLetters = { account: "A", user: "U", curve: "X" } as const

/** A new random seed. */
export const generate = (role: KeyRole): string => {
  const pair = createPair(prefixes[role])
  const text = Buffer.from(pair.getSeed()).toString()
  pair.clear()
  return text
}

/** The 32 bytes of a seed of the given role; undefined for any other text. The caller wipes them after use. */
export const decode = (role: KeyRole, text: string): Uint8Array | undefined => {
  try {
    const pair = fromSeed(Buffer.from(text))
    const isOfRole = pair.getPublicKey().startsWith(publicLetters[role])
    pair.clear()
    if (!isOfRole) return undefined
    // Two bytes of prefix before the seed, two of checksum after it. Unlike nkeys, this accepts one spelling only.
    const bytes = base32nopad.decode(text)
    const seed = bytes.slice(2, -2)
    bytes.fill(0)
    return seed
  } catch {
    return undefined
  }
}
