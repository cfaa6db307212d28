/** The operations of the vectors that concern files and manifests. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { FastBlake3, Identity, SealedFile, SealedManifest, WrappedKey } from "@kez-chat/sdk/crypto"
import {
  Blake3,
  Blake3Tree,
  BlobAnswer,
  BlobRequest,
  Bytes,
  ChunkRanges,
  Envelope,
  FileCipher,
  Json,
  Manifest,
  PrimaryKey,
  Ticket
} from "@kez-chat/sdk/protocol"
import { Crypto } from "@kez-chat/sdk/services"
import { fromBase64Url, fromHex, identityOf, type Input, number, object, type Operation, text } from "./CaseInput.ts"

const texts = (input: Input, name: string): ReadonlyArray<string> => input[name] as ReadonlyArray<string>
const { toBase64Url, toHex } = Bytes
const keyOf = (primary: string) => Result.getOrThrow(PrimaryKey.parseEd25519(primary))
const pattern = (size: number) => Uint8Array.from({ length: size }, (_, i) => i % 251)
const captured = (bytes: Uint8Array, hasher: Blake3.SubtreeHash) =>
  bytes.length <= 700
    ? { length: bytes.length, hex: toHex(bytes) }
    : { length: bytes.length, blake3: toHex(Blake3.hash(bytes, hasher)) }
const rangesOf = (input: Input) =>
  Result.getOrThrow(
    ChunkRanges.make(
      (input["ranges"] as ReadonlyArray<number | string>).map((at) => Math.min(Number(at), Number.MAX_SAFE_INTEGER))
    )
  )

const blobs = new Map<number, { readonly blob: Uint8Array; readonly tree: Blake3Tree.Tree }>()
/** Many cases ask for parts of one blob. */
const blobOf = (size: number) =>
  Effect.map(FastBlake3.load, (hasher) => {
    const known = blobs.get(size)
    if (known !== undefined) return known
    const blob = pattern(size)
    const made = { blob, tree: Blake3Tree.build(blob, hasher) }
    blobs.set(size, made)
    return made
  })

/** Reads an answer in pieces; what it verified, in order. */
const read = (decoder: BlobAnswer.Decoder, answer: Uint8Array, piece: number) =>
  Result.gen(function* () {
    const leaves: Array<{ readonly offset: number; readonly bytes: Uint8Array }> = []
    const take = (item: BlobAnswer.Verified) => {
      if (item.kind === "leaf") leaves.push({ offset: item.offset, bytes: item.bytes.slice() })
    }
    for (let at = 0; at < answer.length; at += piece) yield* decoder.push(answer.subarray(at, at + piece), take)
    yield* decoder.finish()
    return leaves
  })

const fileOf = (input: Input): Manifest.SharedFile => ({
  name: text(input, "name"),
  ...(input["folder"] === undefined ? {} : { folder: text(input, "folder") }),
  mediaType: text(input, "media_type"),
  size: number(input, "size"),
  sharedAt: Date.parse(text(input, "shared_at")),
  blobHash: text(input, "blob_hash"),
  ticket: text(input, "ticket"),
  contentKey: Redacted.make(fromBase64Url(text(input, "content_key")))
})

const entryJson = (owner: Identity.Identity, entry: Manifest.Entry) =>
  Effect.map(
    Effect.fromResult(Manifest.payload({ owner: owner.key, revision: 0, createdAt: 0, entries: [entry] })),
    (payload) => (payload["entries"] as ReadonlyArray<Json.Json>)[0]
  )

export const fileOperations: Readonly<Record<string, Operation>> = {
  "blob.tree": (input) =>
    Effect.gen(function* () {
      const hasher = yield* FastBlake3.load
      const blob = pattern(number(input, "size"))
      const tree = Blake3Tree.build(blob, hasher)
      if (toHex(tree.hash) !== toHex(Blake3.hash(blob))) return "the backends of BLAKE3 differ"
      return { hash: toHex(tree.hash), outboard: captured(tree.outboard, hasher) }
    }),
  "blob.answer": (input) =>
    Effect.gen(function* () {
      const hasher = yield* FastBlake3.load
      const size = number(input, "size")
      const { blob, tree } = yield* blobOf(size)
      const ranges = rangesOf(input)
      const parts: Array<Uint8Array> = []
      for (const result of BlobAnswer.encode(tree, ranges, hasher)) {
        const part = yield* Effect.fromResult(result)
        parts.push(
          part.kind === "bytes"
            ? part.bytes
            : yield* Effect.fromResult(part.encode(blob.subarray(part.offset, part.offset + part.length)))
        )
      }
      const answer = Bytes.concat(...parts)
      const decoder = BlobAnswer.decoder({ hash: tree.hash, ranges, hasher, size })
      for (const { bytes, offset } of yield* Effect.fromResult(read(decoder, answer, 1000))) {
        if (!Bytes.equal(bytes, blob.subarray(offset, offset + bytes.length))) return "it reads other bytes back"
      }
      return captured(answer, hasher)
    }),
  "blob.read": (input) => {
    const options = {
      hash: fromHex(text(input, "hash")),
      size: number(input, "size"),
      ranges: rangesOf(input),
      hasher: Blake3.subtree
    }
    const leaves = read(BlobAnswer.decoder(options), fromHex(text(input, "answer")), 7)
    return Effect.map(Effect.fromResult(leaves), (all) =>
      all.map(({ bytes, offset }) => ({ offset, bytes: toHex(bytes) }))
    )
  },
  "blob.request": (input) => {
    const ranges = rangesOf(input)
    const request = BlobRequest.encode(fromHex(text(input, "hash")), ranges)
    return Effect.map(Effect.fromResult(BlobRequest.decode(request)), (asked) => {
      if (asked.kind !== "get" || toHex(asked.hash) !== text(input, "hash") || asked.children)
        return "it is read otherwise"
      if (asked.ranges.boundaries.join() !== ranges.boundaries.join()) return "other chunks are read"
      return toHex(request)
    })
  },
  "blob.asked": (input) =>
    Effect.map(Effect.fromResult(BlobRequest.decode(fromHex(text(input, "request")))), (asked) =>
      asked.kind === "get" ? { kind: asked.kind, listed: asked.children } : { kind: asked.kind }
    ),
  "file.encrypt": (input) =>
    Effect.gen(function* () {
      const hasher = yield* FastBlake3.load
      const parts: Array<Uint8Array> = []
      const encrypted = yield* SealedFile.encrypt(
        Redacted.make(fromHex(text(input, "key"))),
        Stream.make(pattern(number(input, "size"))),
        hasher,
        (chunk) => Effect.sync(() => parts.push(chunk.slice())).pipe(Effect.asVoid)
      )
      const blob = Bytes.concat(...parts)
      if (encrypted.tree.size !== FileCipher.blobLength(encrypted.size)) return "the blob has another length"
      return {
        length: blob.length,
        hash: `blake3:${toHex(encrypted.tree.hash)}`,
        ...(blob.length <= 200 ? { blob: toHex(blob) } : {})
      }
    }),
  "file.decrypt": (input) => {
    const key = Redacted.make(fromHex(text(input, "key")))
    const blob = Stream.make(fromHex(text(input, "blob")))
    return Effect.map(Stream.runCollect(SealedFile.decrypt(key, number(input, "size"), blob)), (parts) =>
      toHex(Bytes.concat(...parts))
    )
  },
  "fileKey.wrap": (input) =>
    Effect.gen(function* () {
      const crypto = yield* Crypto
      const ephemeral = yield* crypto.ephemeral(fromHex(text(input, "ephemeral")))
      const binding = { blobHash: fromHex(text(input, "blob_hash")), owner: keyOf(text(input, "owner")) }
      const key = Redacted.make(fromHex(text(input, "key")))
      return toBase64Url(yield* WrappedKey.wrap(key, binding, keyOf(text(input, "reader")), ephemeral))
    }),
  "fileKey.unwrap": (input) =>
    Effect.gen(function* () {
      const reader = yield* identityOf(input)
      const binding = { blobHash: fromHex(text(input, "blob_hash")), owner: keyOf(text(input, "owner")) }
      const key = yield* WrappedKey.unwrap(reader, binding, fromBase64Url(text(input, "wrapped")))
      return toHex(Redacted.value(key))
    }),
  "ticket.decode": (input) =>
    Effect.map(Effect.fromResult(Ticket.decode(text(input, "ticket"))), (ticket) => {
      if (Ticket.encode(ticket) !== text(input, "ticket")) return "it is written differently"
      const { addresses, endpoint, format, hash, relayUrl } = ticket
      return { endpoint: endpoint.hex, hash: toHex(hash), format, relay: relayUrl ?? null, addresses }
    }),
  "ticket.shared": (input) =>
    Effect.map(
      Effect.fromResult(
        Ticket.decodeShared(text(input, "ticket"), {
          owner: keyOf(text(input, "owner")),
          blobHash: text(input, "blob_hash")
        })
      ),
      (ticket) => ticket.endpoint.hex
    ),
  "manifest.hint": (input) =>
    Effect.gen(function* () {
      const crypto = yield* Crypto
      const owner = yield* crypto.importSeed(Redacted.make(fromHex(text(input, "seed"))))
      const reader = keyOf(text(input, "reader"))
      const shared = yield* Effect.orDie(crypto.agree(owner, reader))
      const info = Manifest.hintInfo(owner.publicKey, reader)
      return toBase64Url(
        yield* crypto.hkdfSha256(shared, Manifest.hintSalt(text(input, "id")), info, Manifest.hintBytes)
      )
    }),
  "manifest.seal": (input) =>
    Effect.gen(function* () {
      const owner = yield* identityOf(input)
      const entry = yield* SealedManifest.sealEntry(
        owner,
        text(input, "id"),
        fileOf(object(input["file"])),
        texts(input, "readers").map(keyOf),
        {
          key: fromHex(text(input, "key")),
          salt: fromHex(text(input, "salt")),
          ephemerals: texts(input, "ephemerals").map(fromHex)
        }
      )
      return yield* entryJson(owner, entry)
    }),
  "manifest.read": (input) =>
    Effect.gen(function* () {
      const hasher = yield* FastBlake3.load
      const reader = yield* identityOf(input)
      const named = input["anchor"] === undefined ? undefined : object(input["anchor"])
      const known = input["known"] === undefined ? undefined : object(input["known"])
      const { manifest } = yield* SealedManifest.verify(
        fromBase64Url(text(input, "body")),
        {
          owner: keyOf(text(input, "owner")),
          anchor: named && {
            manifest: text(named, "manifest"),
            size: number(named, "size"),
            ...(named["revision"] === undefined ? {} : { revision: number(named, "revision") })
          },
          ...(known === undefined ? {} : { known: { revision: number(known, "revision"), hash: text(known, "hash") } })
        },
        hasher
      )
      const { broken, files } = yield* SealedManifest.open(reader, manifest)
      if (manifest.owner.hex === reader.key.hex) {
        // What an owner signs again is the same, byte for byte.
        const again = yield* SealedManifest.sign(reader, manifest, hasher)
        if (toBase64Url(again.body) !== text(input, "body")) return "it is signed differently"
        yield* Effect.fromResult(Envelope.parse(again.body, 1_048_576))
      }
      return {
        revision: manifest.revision,
        files: files.map(({ file, id, isPublic }) => ({ id, name: file.name, public: isPublic })),
        broken: broken.map(({ id, problem }) => ({ id, code: problem.code }))
      }
    })
}
