/**
 * A seed as words of BIP-39's English list, as in KEZ: the entropy *is* the seed, with neither the PBKDF2 of BIP-39 nor
 * a derivation path. KEZ's 12 words are one-way: their seed is a hash of the entropy.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39"
import { wordlist } from "@scure/bip39/wordlists/english.js"
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import { fail, type Problem } from "../Problem.ts"

const shortContext = Bytes.utf8("kez-bip39-12-v1")
const known = new Set(wordlist)

/** The 24 words of a 32-byte seed. Throws a `RangeError` for another length. */
export const fromSeed = (seed: Uint8Array): string => {
  if (seed.length !== 32) throw new RangeError(`a seed has 32 bytes, not ${seed.length}`)
  return entropyToMnemonic(seed, wordlist)
}

/** 24 words from 32 random bytes: a new account's seed and its words are the same thing. */
export const generate = (entropy: Uint8Array): string => fromSeed(entropy)

/**
 * The 32-byte seed of 24 words, or of KEZ's 12: SHA-256("kez-bip39-12-v1" || entropy16). Ignores case and white space.
 * `mnemonic_invalid`, for counts, unknown words and wrong checksums, names a position, never a word.
 */
export const toSeed = (words: string): Result.Result<Uint8Array, Problem> => {
  const list = words.normalize("NFKD").toLowerCase().split(/\s+/).filter(Boolean)
  if (list.length !== 24 && list.length !== 12) {
    return fail("mnemonic_invalid", `expected 24 or 12 words, found ${list.length}`)
  }
  const unknown = list.findIndex((word) => !known.has(word))
  if (unknown >= 0) return fail("mnemonic_invalid", `word ${unknown + 1} is not in the list`)
  let entropy: Uint8Array
  try {
    entropy = mnemonicToEntropy(list.join(" "), wordlist)
  } catch {
    return fail("mnemonic_invalid", "the checksum is wrong: a word is mistyped or out of place")
  }
  return Result.succeed(entropy.length === 32 ? entropy : sha256(Bytes.concat(shortContext, entropy)))
}
