/**
 * The list of files that an account shares, which names no reader (spec: manifest). A `set_shared_files` event anchors
 * the hash, size and revision of one manifest; later ones name that anchor, so not every publication needs an event.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Blake3 from "./Blake3.ts"
import * as Bytes from "../encoding/Bytes.ts"
import * as Canonical from "../encoding/Canonical.ts"
import * as Envelope from "../sigchain/Envelope.ts"
import * as FileName from "./FileName.ts"
import * as Hash from "../encoding/Hash.ts"
import * as Json from "../encoding/Json.ts"
import type { AdmittedKey } from "../identity/KeyAdmission.ts"
import * as Limits from "../Limits.ts"
import { Members } from "../encoding/Members.ts"
import * as Padding from "../messages/Padding.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import { fail, type Problem } from "../Problem.ts"
import type { SharedFiles } from "../sigchain/Sigchain.ts"
import * as Ticket from "./Ticket.ts"
import * as Timestamp from "../encoding/Timestamp.ts"

/** The content of an entry, as its readers see it. */
export interface SharedFile {
  /** A bare file name; see `FileName.safe` before saving under it. */
  readonly name: string
  /** Its path within a shared folder, parts separated by `/`. */
  readonly folder?: string
  readonly mediaType: string
  /** Bytes of the file. */
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly sharedAt: number
  /** `blake3:<hex>` of the blob. */
  readonly blobHash: string
  /** Leads to the owner's device and contains no direct address. */
  readonly ticket: string
  /** 32 bytes. */
  readonly contentKey: Redacted.Redacted<Uint8Array>
  /** Encoded image of at most 8 KiB. */
  readonly thumbnail?: Uint8Array
}

/** An entry key wrapped for one reader, found by its hint. */
export interface EntryKey {
  /** 2 bytes. */
  readonly hint: Uint8Array
  /** 32 bytes. */
  readonly enc: Uint8Array
  /** 48 bytes. */
  readonly ct: Uint8Array
}

interface Named {
  /** 16 random bytes as 22 base64url characters. */
  readonly id: string
}

/** An entry that only its readers can open. */
export interface SealedEntry extends Named {
  readonly keys: ReadonlyArray<EntryKey>
  /** `salt32 || ciphertext || tag16`. */
  readonly sealed: Uint8Array
}

/** A public entry. Its file is read with {@link publicFile}: a wrong one breaks the entry, not the manifest. */
export interface PublicEntry extends Named {
  readonly public: Json.JsonObject
}

export type Entry = SealedEntry | PublicEntry

export interface Manifest {
  readonly owner: AdmittedKey
  /** Rises with every manifest of an owner. */
  readonly revision: number
  /**
   * `blake3:<hex>`: the manifest named by the newest `set_shared_files` of the owner's chain at signing. Absent before
   * the first one, and in manifests older than this member.
   */
  readonly anchored?: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly entries: ReadonlyArray<Entry>
}

// oxlint-disable-next-line no-control-regex
const folder = /^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[^\\\u0000-\u001f\u007f]+$/u

/** The members of a file in an entry of `owner`. Fails with `manifest_malformed` or the code of a bad ticket. */
const readFile = (members: Members, owner: AdmittedKey): Result.Result<SharedFile, Problem> =>
  Result.gen(function* () {
    const name = yield* members.matching("name", FileName.bare, "a bare file name of 1 to 255 characters")
    const mediaType = yield* members.string("media_type", Limits.mediaTypeMax)
    const size = yield* members.integer("size")
    const sharedAt = yield* members.time("shared_at")
    const blobHash = yield* members.hash("blob_hash", "blake3")
    const ticket = yield* members.string("ticket", Limits.ticketMax)
    yield* Ticket.decodeShared(ticket, { owner, blobHash })
    const contentKey = Redacted.make(yield* members.bytes("content_key", { length: Limits.keyBytes }), {
      label: "content key"
    })
    const place = members.has("folder")
      ? {
          folder: yield* Result.flatMap(members.string("folder", Limits.folderMax), (text) =>
            checkFolder(members, text)
          )
        }
      : {}
    const thumbnail = members.has("thumbnail")
      ? { thumbnail: yield* members.bytes("thumbnail", { max: Limits.thumbnailBytes }) }
      : {}
    return { name, ...place, mediaType, size, sharedAt, blobHash, ticket, contentKey, ...thumbnail }
  })

const checkFolder = (members: Members, text: string): Result.Result<string, Problem> =>
  folder.test(text) && text.split("/").length <= FileName.maxDepth
    ? Result.succeed(text)
    : members.bad("folder", "is not a relative path")

const fileJson = (file: SharedFile): Json.JsonObject => ({
  name: file.name,
  ...(file.folder === undefined ? {} : { folder: file.folder }),
  media_type: file.mediaType,
  size: file.size,
  shared_at: Timestamp.fromMillis(file.sharedAt),
  blob_hash: file.blobHash,
  ticket: file.ticket,
  content_key: Bytes.toBase64Url(Redacted.value(file.contentKey)),
  ...(file.thumbnail === undefined ? {} : { thumbnail: Bytes.toBase64Url(file.thumbnail) })
})

/** Strings with lone surrogates have no canonical form. Parsing excludes them, but callers may pass them. */
const isWellFormed = (json: Json.JsonObject): boolean =>
  Object.values(json).every((value) => typeof value !== "string" || value.isWellFormed())

/** The padded plaintext of a sealed entry. Fails with the problem that readers would report. */
export const encodeFile = (file: SharedFile, owner: AdmittedKey): Result.Result<Uint8Array, Problem> => {
  const json = fileJson(file)
  if (!isWellFormed(json)) return fail("json_string", "the entry holds a lone surrogate")
  const checked = readFile(new Members(json, "manifest_malformed", "entry"), owner)
  return Result.flatMap(checked, () => Padding.pad(Canonical.encode(json)))
}

/** A file as a public entry. Fails with the problem that readers would report. */
export const publicEntry = (id: string, file: SharedFile, owner: AdmittedKey): Result.Result<PublicEntry, Problem> => {
  const entry = { id, public: fileJson(file) }
  if (!isWellFormed(entry.public)) return fail("json_string", "the entry holds a lone surrogate")
  return Result.map(publicFile(entry, owner), () => entry)
}

/** The file of a public entry. Fails with `manifest_malformed` or the code of a bad member. */
export const publicFile = (entry: PublicEntry, owner: AdmittedKey): Result.Result<SharedFile, Problem> =>
  readFile(new Members(entry.public, "manifest_malformed", "entry"), owner)

/** The file in the plaintext of a sealed entry. */
export const decodeFile = (padded: Uint8Array, owner: AdmittedKey): Result.Result<SharedFile, Problem> =>
  Result.gen(function* () {
    const json = yield* Json.parse(yield* Padding.unpad(padded), { maxBytes: Limits.bodyBytes })
    return yield* readFile(yield* Members.of(json, "manifest_malformed", "entry"), owner)
  })

const readKey = (json: Json.Json): Result.Result<EntryKey, Problem> =>
  Result.gen(function* () {
    const members = yield* Members.of(json, "manifest_malformed", "entry key")
    const hint = yield* members.bytes("hint", { length: hintBytes })
    const enc = yield* members.bytes("enc", { length: Limits.keyBytes })
    const ct = yield* members.bytes("ct", { length: Limits.keyBytes + Limits.tagBytes })
    return { hint, enc, ct }
  })

const minSealed = Limits.saltBytes + 4 + Padding.paddedLength(1) + Limits.tagBytes
const maxSealed = Limits.saltBytes + 4 + Padding.paddedLength(Limits.bodyBytes) + Limits.tagBytes

const readEntry = (json: Json.Json): Result.Result<Entry, Problem> =>
  Result.gen(function* () {
    const members = yield* Members.of(json, "manifest_malformed", "entry")
    const id = yield* members.id("id")
    if (members.has("public")) {
      if (members.has("sealed") || members.has("keys"))
        return yield* members.bad("public", "stands beside sealed or keys")
      return { id, public: (yield* members.members("public")).json }
    }
    const keys: Array<EntryKey> = []
    for (const key of yield* members.array("keys", Limits.entryReaders)) keys.push(yield* readKey(key))
    if (keys.length === 0) return yield* members.bad("keys", "is empty")
    const sealed = yield* members.bytes("sealed", { max: maxSealed })
    if (sealed.length < minSealed) return yield* members.bad("sealed", "is too short")
    return { id, keys, sealed }
  })

/** The manifest in an envelope; the signature is not checked. Fails with `manifest_malformed` or a member's code. */
export const parse = (envelope: Envelope.Envelope): Result.Result<Manifest, Problem> =>
  Result.flatMap(Envelope.payloadOf(envelope, "shared_files", "manifest_malformed"), readPayload)

const readPayload = (members: Members): Result.Result<Manifest, Problem> =>
  Result.gen(function* () {
    const owner = yield* PrimaryKey.parseEd25519(yield* members.string("primary"))
    const revision = yield* members.integer("revision")
    const anchored = members.has("anchored") ? { anchored: yield* members.hash("anchored", "blake3") } : {}
    const createdAt = yield* members.time("created_at")
    const entries: Array<Entry> = []
    const ids = new Set<string>()
    for (const json of yield* members.array("entries", Limits.manifestBytes)) {
      const entry = yield* readEntry(json)
      if (ids.has(entry.id)) return yield* members.bad("entries", `has ${entry.id} twice`)
      ids.add(entry.id)
      entries.push(entry)
    }
    return { owner, revision, ...anchored, createdAt, entries }
  })

/** A received manifest with an unchecked signature. */
export interface Received {
  readonly manifest: Manifest
  readonly envelope: Envelope.Envelope
  /** The bytes that the signature covers. */
  readonly signedBytes: Uint8Array
}

/** The manifest in a body in JCS form; fails with `too_large`, `manifest_malformed` or the code of its envelope. */
export const parseBody = (body: Uint8Array): Result.Result<Received, Problem> =>
  Result.gen(function* () {
    const { encoded, envelope, signedBytes } = yield* Envelope.parseEncoded(body, Limits.manifestBytes)
    if (!Bytes.equal(encoded, body)) return yield* fail("manifest_malformed", "the body is not in JCS form")
    return { manifest: yield* parse(envelope), envelope, signedBytes }
  })

const entryJson = (entry: Entry): Json.JsonObject =>
  "public" in entry
    ? { id: entry.id, public: entry.public }
    : {
        id: entry.id,
        keys: entry.keys.map(({ ct, enc, hint }) => ({
          hint: Bytes.toBase64Url(hint),
          enc: Bytes.toBase64Url(enc),
          ct: Bytes.toBase64Url(ct)
        })),
        sealed: Bytes.toBase64Url(entry.sealed)
      }

/** The JCS form of one entry, as it appears in a body. */
export const encodeEntry = (entry: Entry): Uint8Array => Canonical.encode(entryJson(entry))

/** Parses the bytes that {@link encodeEntry} made. Fails with `manifest_malformed` or a member's code. */
export const decodeEntry = (bytes: Uint8Array): Result.Result<Entry, Problem> =>
  Result.flatMap(Json.parse(bytes, { maxBytes: Limits.manifestBytes }), readEntry)

const anchoredJson = ({ anchored }: Pick<Manifest, "anchored">): Json.JsonObject =>
  anchored === undefined ? {} : { anchored }

/** Bytes of a manifest's body, given the encoded size of each entry. */
export const bodyLength = (manifest: Omit<Manifest, "owner" | "entries">, entryBytes: Iterable<number>): number => {
  const key = PrimaryKey.blank
  const frame = { type: Envelope.kinds.shared_files.type, version: Envelope.version, primary: key, entries: [] }
  const text = Envelope.signedText({
    ...frame,
    revision: manifest.revision,
    ...anchoredJson(manifest),
    created_at: Timestamp.fromMillis(manifest.createdAt)
  })
  const signature = { alg: Envelope.algorithmOf("ed25519"), key, sig: "0".repeat(128) }
  let bytes = Envelope.encodeTextWith("shared_files", text, signature).length
  let count = 0
  for (const length of entryBytes) bytes += length + (count++ === 0 ? 0 : 1)
  return bytes
}

/** Encoded bytes of an entry for `readers` accounts, the owner included, whose file is padded to `padded` bytes. */
export const sealedEntryLength = (readers: number, padded: number): number => {
  const key = { hint: new Uint8Array(hintBytes), enc: new Uint8Array(Limits.keyBytes) }
  const ct = new Uint8Array(Limits.keyBytes + Limits.tagBytes)
  const empty = {
    id: "A".repeat(Limits.idCharacters),
    sealed: new Uint8Array(Limits.saltBytes + padded + Limits.tagBytes)
  }
  const none = encodeEntry({ ...empty, keys: [] }).length
  const one = encodeEntry({ ...empty, keys: [{ ...key, ct }] }).length
  return readers === 0 ? none : one + (readers - 1) * (one - none + 1)
}

/** The payload of a manifest, to be signed. Fails with the problem that readers would report. */
export const payload = (manifest: Manifest): Result.Result<Json.JsonObject, Problem> => {
  const json: Json.JsonObject = {
    type: Envelope.kinds.shared_files.type,
    version: Envelope.version,
    primary: PrimaryKey.format(manifest.owner),
    revision: manifest.revision,
    ...anchoredJson(manifest),
    created_at: Timestamp.fromMillis(manifest.createdAt),
    entries: manifest.entries.map(entryJson)
  }
  return Result.map(readPayload(new Members(json, "manifest_malformed", Envelope.kinds.shared_files.type)), () => json)
}

/** `blake3:<hex>` of a body. */
export const hashOf = (body: Uint8Array, hasher: Blake3.SubtreeHash): string =>
  Hash.format("blake3", Blake3.hash(body, hasher))

/** The facts remembered of an owner's newest known manifest. */
export interface Seen {
  readonly revision: number
  /** `blake3:<hex>`. */
  readonly hash: string
  /** Its member `anchored`. */
  readonly anchored?: string
}

/**
 * Accepts the manifest that its owner's sigchain names, or one of a higher revision that names the same anchor: the
 * next anchor makes a withdrawn list invalid. Without an anchor it must name none. Else `manifest_mismatch`.
 */
export const checkAnchor = (seen: Seen, anchor: SharedFiles | undefined): Result.Result<void, Problem> => {
  const { anchored, hash, revision } = seen
  if (anchor !== undefined && hash === anchor.manifest) {
    return anchor.revision === undefined || anchor.revision === revision
      ? Result.succeed(undefined)
      : fail("manifest_mismatch", `it is revision ${revision}, the chain says ${anchor.revision}`)
  }
  if (anchored !== anchor?.manifest) {
    const detail = `it is ${hash} and follows ${anchored ?? "no anchor"}, the chain names ${anchor?.manifest ?? "none"}`
    return fail("manifest_mismatch", detail)
  }
  // Compatibility with anchors without a revision: a manifest that names a hash was signed after the manifest with that
  // hash.
  return anchor?.revision === undefined || revision > anchor.revision
    ? Result.succeed(undefined)
    : fail("manifest_mismatch", `it is revision ${revision} and follows the anchor's, ${anchor.revision}`)
}

/** The revision never falls (`manifest_rollback`) and never identifies two manifests (`manifest_conflict`). */
export const checkRevision = (known: Seen | undefined, seen: Seen): Result.Result<void, Problem> => {
  if (known === undefined || seen.revision > known.revision || seen.hash === known.hash)
    return Result.succeed(undefined)
  return seen.revision < known.revision
    ? fail("manifest_rollback", `revision ${seen.revision}, known is ${known.revision}`)
    : fail("manifest_conflict", `revision ${seen.revision} is ${seen.hash} now and was ${known.hash}`)
}

const idBytes = (id: string): Uint8Array => Result.getOrThrow(Bytes.fromBase64Url(id))
const hintLabel = Bytes.utf8("kez.manifest.hint/1\0")
const entryLabel = Bytes.utf8("kez.manifest.entry/1\0")

/** Bytes of a hint: short enough that equal hints of two readers prove nothing. */
export const hintBytes = 2

/** HKDF salt of an entry's hints: its id. */
export const hintSalt = (id: string): Uint8Array => idBytes(id)

/** HKDF info of the hints of a reader in the manifests of an owner. */
export const hintInfo = (owner: AdmittedKey, reader: AdmittedKey): Uint8Array =>
  Bytes.concat(hintLabel, owner.ed25519, reader.ed25519)

/** AEAD associated data of an entry's content: it opens in no other entry and no other manifest. */
export const context = (owner: AdmittedKey, id: string): Uint8Array => Bytes.concat(owner.ed25519, idBytes(id))

/** HPKE info of entry keys. */
export const keyInfo: Uint8Array = Bytes.utf8("kez.manifest.key/1")

/** HPKE associated data of an entry's key for a reader. */
export const keyAad = (context: Uint8Array, reader: AdmittedKey): Uint8Array => Bytes.concat(context, reader.ed25519)

/** HKDF info of an entry's AEAD key and nonce. */
export const entryInfo = (context: Uint8Array): Uint8Array => Bytes.concat(entryLabel, context)
