/** Primary keys, which identify accounts: `ed25519:<hex>`, and `nostr:npub1...` for proofs made elsewhere. */
import { bech32 } from "@scure/base"
import * as Result from "effect/Result"
import { admitHex, type AdmittedKey } from "./KeyAdmission.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

/** The primary of a chat account: `ed25519:` and 64 lower-case hex characters. */
export type PrimaryKey = `ed25519:${string}`

const prefix = "ed25519:"

/** The pattern of an Ed25519 primary. Does not imply that the key is admitted. */
export const ed25519Form = /^ed25519:[0-9a-f]{64}$/

/** A parsed primary. `x` is a BIP-340 public key of 32 bytes; only its form is checked. */
export type Parsed =
  | { readonly system: "ed25519"; readonly key: AdmittedKey }
  | { readonly system: "nostr"; readonly x: Uint8Array }

/** Parses a primary of either system. Problems: `key_malformed`, `key_rejected` (see `KeyAdmission`). */
export const parse = (text: string): Result.Result<Parsed, Problem> => {
  if (text.startsWith("nostr:")) return Result.map(parseNpub(text.slice(6)), (x) => ({ system: "nostr", x }))
  return Result.map(parseEd25519(text), (key) => ({ system: "ed25519", key }))
}

/** Parses the primary of a chat account; another system is `key_malformed`. */
export const parseEd25519 = (text: string): Result.Result<AdmittedKey, Problem> =>
  text.startsWith(prefix)
    ? admitHex(hexOf(text))
    : fail("key_malformed", "expected ed25519: and 64 lower-case hex characters")

/** The primary of a key. */
export const format = (key: AdmittedKey): PrimaryKey => ofHex(key.hex)

/** The primary for 64 hex digits, which are not checked. */
export const ofHex = (hex: string): PrimaryKey => `${prefix}${hex}`

/** The 64 hex digits of an Ed25519 primary, which is not checked. */
export const hexOf = (primary: string): string => primary.slice(prefix.length)

/** A placeholder Ed25519 primary, for computing sizes. */
export const blank: PrimaryKey = ofHex("0".repeat(2 * Limits.keyBytes))

/** The primary of a BIP-340 public key of 32 bytes. */
export const formatNostr = (x: Uint8Array): string => `nostr:${bech32.encode("npub", bech32.toWords(x))}`

const malformed = () => fail("key_malformed", "expected nostr:npub1 and 58 lower-case characters")

const parseNpub = (text: string): Result.Result<Uint8Array, Problem> => {
  if (!/^npub1[0-9a-z]{58}$/.test(text)) return malformed()
  const decoded = bech32.decodeUnsafe(text, 63)
  const bytes = decoded === undefined ? undefined : bech32.fromWordsUnsafe(decoded.words)
  if (bytes === undefined || bytes === null || bytes.length !== Limits.keyBytes) return malformed()
  // Checks that re-encoding gives the same text: set padding bits would allow a second spelling.
  return formatNostr(Uint8Array.from(bytes)) === `nostr:${text}` ? Result.succeed(Uint8Array.from(bytes)) : malformed()
}
