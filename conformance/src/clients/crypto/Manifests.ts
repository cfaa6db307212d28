/** Manifests of shared files. */
import { blake3 } from "@noble/hashes/blake3.js"
import { randomBytes } from "node:crypto"
import type { Envelope } from "../../servers/Signing.ts"
import { base64Url, concat, fromBase64Url, hex, u8, utf8 } from "./Bytes.ts"
import { canonical } from "./Canonical.ts"
import { hkdf, open, openWith, seal, sealTo } from "./Hpke.ts"
import { agree, type Keys, type Reader } from "./Keys.ts"
import { pad, randomId, timeOf, unpad } from "./Messages.ts"

export const blake3Of = (bytes: Uint8Array): string => `blake3:${hex(blake3(bytes))}`

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"
const base32 = (bytes: Uint8Array): string => {
  let bits = ""
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0")
  return (bits.match(/.{1,5}/g) ?? []).map((group) => alphabet[Number.parseInt(group.padEnd(5, "0"), 2)]).join("")
}

/** A ticket without addresses; a relay is a URL of fewer than 128 bytes. */
export const ticketOf = (owner: Reader, blob: Uint8Array, relay?: string): string => {
  const ofRelay = relay === undefined ? u8(0) : concat(u8(1), u8(relay.length), utf8(relay))
  return `blob${base32(concat(u8(0), owner.ed25519, ofRelay, u8(0), u8(0), blob))}`
}

export interface SharedFile {
  readonly name: string
  readonly folder?: string
  readonly media_type: string
  readonly size: number
  readonly shared_at: string
  readonly blob_hash: string
  readonly ticket: string
  readonly content_key: string
}

export type Entry =
  | {
      readonly id: string
      readonly keys: ReadonlyArray<{ readonly hint: string; readonly enc: string; readonly ct: string }>
      readonly sealed: string
    }
  | { readonly id: string; readonly public: SharedFile }

/** A file of which nothing exists but its description. */
export const fileOf = (
  owner: Reader,
  name: string,
  change: Readonly<Record<string, unknown>> = {},
  relay?: string
): SharedFile => {
  const blob = randomBytes(32)
  return {
    name,
    media_type: "text/plain",
    size: 5,
    shared_at: timeOf(Date.now()),
    blob_hash: `blake3:${hex(blob)}`,
    ticket: ticketOf(owner, blob, relay),
    content_key: base64Url(randomBytes(32)),
    ...change
  }
}

/** An entry for some readers; the owner is not among them by itself. */
export const sealEntry = (owner: Keys, readers: ReadonlyArray<Reader>, file: object, id = randomId()) => {
  const ctx = concat(owner.ed25519, fromBase64Url(id))
  const entryKey = randomBytes(32)
  const keys = readers.map((reader) => {
    const { ct, enc } = sealTo(reader, "kez.manifest.key/1", concat(ctx, reader.ed25519), entryKey)
    const info = concat(utf8("kez.manifest.hint/1"), u8(0), owner.ed25519, reader.ed25519)
    const hint = hkdf(agree(owner.x25519Secret, reader.x25519), fromBase64Url(id), info, 2)
    return { hint: base64Url(hint), enc: base64Url(enc), ct: base64Url(ct) }
  })
  const salt = randomBytes(32)
  const okm = hkdf(entryKey, salt, concat(utf8("kez.manifest.entry/1"), u8(0), ctx), 44)
  const sealed = seal(okm.subarray(0, 32), okm.subarray(32), ctx, pad(utf8(canonical(file))))
  return {
    id,
    keys: keys.toSorted((a, b) => (a.enc < b.enc ? -1 : 1)),
    sealed: base64Url(concat(salt, sealed))
  }
}

/** The file of an entry, as a reader finds it; undefined where it is not among the readers. */
export const openEntry = (reader: Keys, owner: Reader, entry: Entry): SharedFile | undefined => {
  if ("public" in entry) return entry.public
  const ctx = concat(owner.ed25519, fromBase64Url(entry.id))
  const info = concat(utf8("kez.manifest.hint/1"), u8(0), owner.ed25519, reader.ed25519)
  const hint = base64Url(hkdf(agree(reader.x25519Secret, owner.x25519), fromBase64Url(entry.id), info, 2))
  for (const key of entry.keys) {
    if (key.hint !== hint) continue
    const aad = concat(ctx, reader.ed25519)
    const entryKey = openWith(reader, "kez.manifest.key/1", aad, fromBase64Url(key.enc), fromBase64Url(key.ct))
    if (entryKey === undefined) continue
    const sealed = fromBase64Url(entry.sealed)
    const okm = hkdf(entryKey, sealed.subarray(0, 32), concat(utf8("kez.manifest.entry/1"), u8(0), ctx), 44)
    const padded = open(okm.subarray(0, 32), okm.subarray(32), ctx, sealed.subarray(32))
    const file = padded && unpad(padded)
    return file && (JSON.parse(Buffer.from(file).toString("utf8")) as SharedFile)
  }
  return undefined
}

export const signManifest = (
  owner: Keys,
  revision: number,
  entries: ReadonlyArray<object>,
  change: Readonly<Record<string, unknown>> = {}
): Envelope =>
  owner.sign("shared_files", {
    type: "kez.chat.shared_files",
    version: 1,
    primary: owner.primary,
    revision,
    created_at: timeOf(Date.now()),
    entries,
    ...change
  })

/** The bytes that are stored. */
export const bytesOf = (manifest: Envelope): Uint8Array => utf8(canonical(manifest))
