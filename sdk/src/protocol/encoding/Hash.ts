/** Hashes in the protocol's notation: the hash function's name, a colon and 64 lower-case hex digits. */
import * as Bytes from "./Bytes.ts"

/** SHA-256 names envelopes, BLAKE3 names blobs and manifests. */
export type HashFunction = "sha256" | "blake3"

const patterns = { sha256: /^sha256:[0-9a-f]{64}$/, blake3: /^blake3:[0-9a-f]{64}$/ } as const

/** The pattern of hashes of this function. */
export const pattern = (hashFunction: HashFunction): RegExp => patterns[hashFunction]

/** Whether `text` is a hash of this function. */
export const is = (hashFunction: HashFunction, text: string): boolean => patterns[hashFunction].test(text)

/** Writes a hash from its hex digits or its 32 bytes. */
export const format = (hashFunction: HashFunction, digest: string | Uint8Array): string =>
  `${hashFunction}:${typeof digest === "string" ? digest : Bytes.toHex(digest)}`

/** The 64 hex digits of a hash. */
export const hexOf = (hash: string): string => hash.slice(hash.indexOf(":") + 1)

/** A placeholder hash, for computing sizes. */
export const blank = (hashFunction: HashFunction): string => format(hashFunction, "0".repeat(64))
