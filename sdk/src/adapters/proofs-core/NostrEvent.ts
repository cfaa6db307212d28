/** Events of nostr (NIP-01), verified. */
import { schnorr } from "@noble/curves/secp256k1.js"
import { sha256 } from "@noble/hashes/sha2.js"
import * as Result from "effect/Result"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"

export interface NostrEvent {
  /** 64 hex digits, as `pubkey`. */
  readonly id: string
  readonly pubkey: string
  /** Seconds since the epoch. */
  readonly created_at: number
  readonly kind: number
  readonly tags: ReadonlyArray<ReadonlyArray<string>>
  readonly content: string
  /** 128 hex digits. */
  readonly sig: string
}

const isTags = (value: unknown): value is NostrEvent["tags"] =>
  Array.isArray(value) &&
  value.every((tag: unknown) => Array.isArray(tag) && tag.every((item) => typeof item === "string"))

const isHex = (value: unknown, bytes: number): value is string =>
  typeof value === "string" && Bytes.isHex(value, bytes) && value === value.toLowerCase()

/** The bytes that an event's id is the SHA-256 of. */
export const serialise = ({ content, created_at, kind, pubkey, tags }: Omit<NostrEvent, "id" | "sig">): Uint8Array =>
  Bytes.utf8(JSON.stringify([0, pubkey, created_at, kind, tags, content]))

/** The event, if its form, its id and its author's BIP-340 signature are right. */
export const verified = (value: unknown): NostrEvent | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  const { content, created_at, id, kind, pubkey, sig, tags } = value as Readonly<Record<string, unknown>>
  if (!isHex(id, 32) || !isHex(pubkey, 32) || !isHex(sig, 64) || typeof content !== "string" || !isTags(tags)) {
    return undefined
  }
  if (!Number.isSafeInteger(created_at) || !Number.isSafeInteger(kind)) return undefined
  const event = { id, pubkey, created_at: created_at as number, kind: kind as number, tags, content, sig }
  if (Bytes.toHex(sha256(serialise(event))) !== id) return undefined
  try {
    return schnorr.verify(bytesOf(sig), bytesOf(id), bytesOf(pubkey)) ? event : undefined
  } catch {
    // An x that is not on the curve.
    return undefined
  }
}

const bytesOf = (hex: string): Uint8Array => Result.getOrThrow(Bytes.fromHex(hex))

/** The public key of an `npub` (NIP-19) in hex. */
export const publicKeyOf = (npub: string): string | undefined => {
  const key = PrimaryKey.parse(`nostr:${npub}`)
  return Result.isSuccess(key) && key.success.system === "nostr" ? Bytes.toHex(key.success.x) : undefined
}
