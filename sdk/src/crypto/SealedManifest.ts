/** Manifests: sealing entries for readers, signing, verifying and opening (spec: manifest). */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { SubtreeHash } from "../protocol/files/Blake3.ts"
import * as Bytes from "../protocol/encoding/Bytes.ts"
import * as Envelope from "../protocol/sigchain/Envelope.ts"
import type { AdmittedKey } from "../protocol/identity/KeyAdmission.ts"
import * as Limits from "../protocol/Limits.ts"
import * as Manifest from "../protocol/files/Manifest.ts"
import * as Message from "../protocol/messages/Message.ts"
import * as PrimaryKey from "../protocol/identity/PrimaryKey.ts"
import { Problem } from "../protocol/Problem.ts"
import type { SharedFiles } from "../protocol/sigchain/Sigchain.ts"
import { Crypto } from "../services/Crypto.ts"
import * as Hpke from "./Hpke.ts"
import * as Id from "./Id.ts"
import type { Identity } from "./Identity.ts"
import * as IdentitySecret from "./IdentitySecret.ts"
import * as SignedEnvelope from "./SignedEnvelope.ts"

type Service = Crypto["Service"]

/** The randomness of an entry. Only vector tests set it. */
export interface EntryRandomness {
  /** 32 bytes each. */
  readonly key: Uint8Array
  readonly salt: Uint8Array
  /** X25519 scalars, one for each reader, in the entry's order. */
  readonly ephemerals: ReadonlyArray<Uint8Array>
}

/** A new entry id. */
export const makeId: Effect.Effect<string, never, Crypto> = Id.make

/**
 * Seals a file in an entry for its owner and `readers`, without duplicates and in random order. Fails with the problem
 * that readers would report, and with `manifest_malformed` for more than 1,024 readers.
 */
export const sealEntry = Effect.fnUntraced(function* (
  owner: Identity,
  id: string,
  file: Manifest.SharedFile,
  others: Iterable<AdmittedKey>,
  randomness?: EntryRandomness
): Effect.fn.Return<Manifest.SealedEntry, Problem, Crypto> {
  const crypto = yield* Crypto
  const plaintext = yield* Effect.fromResult(Manifest.encodeFile(file, owner.key))
  const context = Manifest.context(owner.key, id)
  const readers = new Map([owner.key, ...others].map((reader) => [reader.hex, reader]))
  const key = randomness?.key ?? (yield* crypto.randomBytes(Limits.keyBytes))
  const salt = randomness?.salt ?? (yield* crypto.randomBytes(Limits.saltBytes))
  const keys: Array<Manifest.EntryKey> = []
  for (const reader of readers.values()) {
    const scalar = randomness?.ephemerals[keys.length]
    const ephemeral = scalar === undefined ? undefined : yield* crypto.ephemeral(scalar)
    const aad = Manifest.keyAad(context, reader)
    const { ciphertext, enc } = yield* Hpke.seal(reader, Manifest.keyInfo, aad, key, ephemeral)
    keys.push({ hint: yield* hintOf(crypto, owner, reader, owner.key, reader, id), enc, ct: ciphertext })
  }
  // Ephemeral keys are random, so sorting by them hides which reader is which, the owner included.
  keys.sort((a, b) => (Bytes.toHex(a.enc) < Bytes.toHex(b.enc) ? -1 : 1))
  const aead = yield* aeadOf(crypto, key, salt, context)
  return { id, keys, sealed: Bytes.concat(salt, yield* crypto.aeadSeal(aead, plaintext)) }
})

/** The hint of `reader` in an entry of `owner`; both can compute it. */
const hintOf = (
  crypto: Service,
  identity: Identity,
  peer: AdmittedKey,
  owner: AdmittedKey,
  reader: AdmittedKey,
  id: string
): Effect.Effect<Uint8Array> =>
  // An admitted key has no torsion component, so the shared secret is never zero.
  Effect.orDie(crypto.agree(IdentitySecret.of(identity), peer)).pipe(
    Effect.flatMap((shared) =>
      crypto.hkdfSha256(shared, Manifest.hintSalt(id), Manifest.hintInfo(owner, reader), Manifest.hintBytes)
    )
  )

const aeadOf = (crypto: Service, key: Uint8Array, salt: Uint8Array, context: Uint8Array) =>
  Effect.map(crypto.hkdfSha256(key, salt, Manifest.entryInfo(context), Message.okmBytes), (okm) => ({
    key: okm.subarray(0, Limits.keyBytes),
    nonce: okm.subarray(Limits.keyBytes),
    aad: context
  }))

/** A signed manifest, ready to store and anchor. */
export interface Signed {
  /** The exact bytes: JCS of the envelope. */
  readonly body: Uint8Array
  /** The payload for `set_shared_files` when this manifest becomes the anchor. */
  readonly anchor: Required<SharedFiles>
}

/** Signs a manifest. Fails with `too_large` above 1 MiB, and with the problem that readers would report. */
export const sign = Effect.fnUntraced(function* (
  identity: Identity,
  manifest: Omit<Manifest.Manifest, "owner">,
  hasher: SubtreeHash
): Effect.fn.Return<Signed, Problem, Crypto> {
  const crypto = yield* Crypto
  const payload = yield* Effect.fromResult(Manifest.payload({ ...manifest, owner: identity.key }))
  const text = Envelope.signedText(payload)
  const signature = yield* SignedEnvelope.signText(crypto, IdentitySecret.of(identity), text)
  const body = Bytes.utf8(Envelope.encodeTextWith("shared_files", text, signature))
  if (body.length > Limits.manifestBytes) return yield* tooLarge(body)
  const anchor = { manifest: Manifest.hashOf(body, hasher), size: body.length, revision: manifest.revision }
  return { body, anchor }
})

const tooLarge = ({ length }: Uint8Array) =>
  new Problem({ code: "too_large", detail: `the manifest has ${length} bytes, more than ${Limits.manifestBytes}` })

const mismatch = (detail: string) => new Problem({ code: "manifest_mismatch", detail })

/** Requirements on a manifest: its owner, the anchor in their verified sigchain, and the newest `known` one. */
export interface Expected {
  readonly owner: AdmittedKey
  /** The anchor of the last `set_shared_files`; undefined if there is none. */
  readonly anchor: SharedFiles | undefined
  readonly known?: Manifest.Seen
}

/** The owner's current manifest, and the facts to remember about it. */
export interface Verified {
  readonly manifest: Manifest.Manifest
  readonly seen: Manifest.Seen
}

/**
 * Verifies a body from any source: exact JCS form, signature, owner, revision, and that it is the anchored manifest or
 * follows it. Fails with `manifest_mismatch`, `manifest_malformed`, `manifest_rollback`, `manifest_conflict`,
 * `signature_invalid` or the code of a malformed envelope.
 */
export const verify = Effect.fnUntraced(function* (
  body: Uint8Array,
  { anchor, known, owner }: Expected,
  hasher: SubtreeHash
): Effect.fn.Return<Verified, Problem, Crypto> {
  const hash = Manifest.hashOf(body, hasher)
  if (hash === anchor?.manifest && body.length !== anchor.size) {
    return yield* mismatch(`it has ${body.length} bytes, the chain says ${anchor.size}`)
  }
  const { envelope, manifest, signedBytes } = yield* Effect.fromResult(Manifest.parseBody(body))
  yield* SignedEnvelope.verifyBytes(yield* Crypto, signedBytes, envelope.signature)
  if (manifest.owner.hex !== owner.hex) {
    return yield* mismatch(`it belongs to ${PrimaryKey.format(manifest.owner)} instead of ${PrimaryKey.format(owner)}`)
  }
  const { anchored, revision } = manifest
  const seen: Manifest.Seen = { revision, hash, ...(anchored === undefined ? {} : { anchored }) }
  yield* Effect.fromResult(Manifest.checkAnchor(seen, anchor))
  yield* Effect.fromResult(Manifest.checkRevision(known, seen))
  return { manifest, seen }
})

/** {@link verify} for exactly the body that a chain names; any other is `manifest_mismatch` before parsing. */
export const verifyAnchored = (
  body: Uint8Array,
  expected: Expected & { readonly anchor: SharedFiles },
  hasher: SubtreeHash
): Effect.Effect<Verified, Problem, Crypto> =>
  Effect.suspend(() => {
    const hash = Manifest.hashOf(body, hasher)
    if (hash === expected.anchor.manifest) return verify(body, expected, hasher)
    return Effect.fail(mismatch(`its hash is ${hash}, the chain names ${expected.anchor.manifest}`))
  })

/**
 * The manifest in a body that `owner` signed, for servers that take uploads from strangers: nothing is parsed before
 * the signature is verified. Fails with `too_large`, `manifest_malformed`, `unauthorized` if another key signed,
 * `signature_invalid`, or the code of the malformed part. {@link verify} decides whether it is current.
 */
export const verifySignature = Effect.fnUntraced(function* (
  body: Uint8Array,
  owner: AdmittedKey
): Effect.fn.Return<Manifest.Manifest, Problem, Crypto> {
  if (body.length > Limits.manifestBytes) return yield* tooLarge(body)
  const cut = Envelope.cut(body, "shared_files")
  if (cut === undefined) {
    const detail = "the body is not the JCS form of a shared_files envelope"
    return yield* new Problem({ code: "manifest_malformed", detail })
  }
  if (cut.signature.key !== PrimaryKey.format(owner)) {
    const detail = `${cut.signature.key} signed it, expected was ${PrimaryKey.format(owner)}`
    return yield* new Problem({ code: "unauthorized", detail })
  }
  yield* SignedEnvelope.verifyBytes(yield* Crypto, cut.signedBytes, cut.signature)
  // JCS fixes the place of every member, so this reads the same signature and signed bytes that were checked above.
  return (yield* Effect.fromResult(Manifest.parseBody(body))).manifest
})

/** A file that this identity can decrypt. */
export interface Readable {
  readonly id: string
  /** Whether everyone can. */
  readonly isPublic: boolean
  readonly file: Manifest.SharedFile
}

export interface Opened {
  readonly files: ReadonlyArray<Readable>
  /** Invalid entries that are public or addressed to this identity. */
  readonly broken: ReadonlyArray<{ readonly id: string; readonly problem: Problem }>
}

/** The entries of a manifest that are public or sealed for `reader`, in manifest order. */
export const open = Effect.fnUntraced(function* (
  reader: Identity,
  manifest: Manifest.Manifest
): Effect.fn.Return<Opened, never, Crypto> {
  const crypto = yield* Crypto
  const files: Array<Readable> = []
  const broken: Array<{ id: string; problem: Problem }> = []
  // One key agreement serves the hints of all entries.
  const shared = yield* Effect.orDie(crypto.agree(IdentitySecret.of(reader), manifest.owner))
  const info = Manifest.hintInfo(manifest.owner, reader.key)
  for (const entry of manifest.entries) {
    const { id } = entry
    if ("public" in entry) {
      const file = Manifest.publicFile(entry, manifest.owner)
      if (Result.isSuccess(file)) files.push({ id, isPublic: true, file: file.success })
      else broken.push({ id, problem: file.failure })
      continue
    }
    const hint = yield* crypto.hkdfSha256(shared, Manifest.hintSalt(id), info, Manifest.hintBytes)
    const context = Manifest.context(manifest.owner, id)
    const key = yield* findKey(reader, entry, hint, context)
    if (key === undefined) continue
    const file = yield* Effect.result(openEntry(crypto, manifest.owner, key, entry.sealed, context))
    if (Result.isSuccess(file)) files.push({ id, isPublic: false, file: file.success })
    else broken.push({ id, problem: file.failure })
  }
  return { files, broken }
})

/** The key of an entry, if one under our hint opens. Hints collide, so a match proves nothing. */
const findKey = Effect.fnUntraced(function* (
  reader: Identity,
  entry: Manifest.SealedEntry,
  hint: Uint8Array,
  context: Uint8Array
) {
  const aad = Manifest.keyAad(context, reader.key)
  for (const { ct, enc, hint: theirs } of entry.keys) {
    if (!Bytes.equal(hint, theirs)) continue
    const key = yield* Effect.result(Hpke.open(reader, Manifest.keyInfo, aad, { enc, ciphertext: ct }))
    if (Result.isSuccess(key)) return key.success
  }
  return undefined
})

const openEntry = Effect.fnUntraced(function* (
  crypto: Service,
  owner: AdmittedKey,
  key: Uint8Array,
  sealed: Uint8Array,
  context: Uint8Array
): Effect.fn.Return<Manifest.SharedFile, Problem> {
  const aead = yield* aeadOf(crypto, key, sealed.subarray(0, Limits.saltBytes), context)
  const plaintext = yield* Effect.mapError(
    crypto.aeadOpen(aead, sealed.subarray(Limits.saltBytes)),
    () => new Problem({ code: "manifest_malformed", detail: "an entry does not open with its own key" })
  )
  return yield* Effect.fromResult(Manifest.decodeFile(plaintext, owner))
})
