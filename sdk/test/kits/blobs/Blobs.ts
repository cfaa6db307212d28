/** Blobs, keys and a provider that writes down what it is told, for tests of transports. */
import { ed25519 } from "@noble/curves/ed25519.js"
import { Effect, Queue, Redacted, Result, Stream } from "effect"
import { Blake3, Blake3Tree, BlobAnswer, Bytes, ChunkRanges, KeyAdmission } from "@kez-chat/sdk/protocol"
import { type BlobEndpoint, BlobStoreError, type Provider, type StoredBlob } from "@kez-chat/sdk/services"

export interface Person {
  readonly secret: Redacted.Redacted<Uint8Array>
  readonly key: KeyAdmission.AdmittedKey
}

/** The person of a number between 1 and 255. */
export const person = (number: number): Person => {
  const seed = new Uint8Array(32).fill(number)
  return {
    secret: Redacted.make(seed),
    key: Result.getOrThrow(KeyAdmission.admit(ed25519.getPublicKey(seed)))
  }
}

export interface Blob {
  readonly bytes: Uint8Array
  readonly tree: Blake3Tree.Tree
  readonly hash: string
}

/** A blob of `size` bytes that nobody could compress or guess the rest of. */
export const makeBlob = (size: number): Blob => {
  const bytes = new Uint8Array(size)
  let state = size + 1
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[i] = state >>> 16
  }
  return blobOf(bytes)
}

export const blobOf = (bytes: Uint8Array): Blob => {
  const tree = Blake3Tree.build(bytes)
  return { bytes, tree, hash: Bytes.toHex(tree.hash) }
}

export const stored = (blob: Blob): StoredBlob => ({
  tree: blob.tree,
  read: (offset, length) =>
    offset + length > blob.bytes.length
      ? Effect.fail(new BlobStoreError({ reason: "damaged", detail: "read beyond the end" }))
      : Effect.succeed(blob.bytes.slice(offset, offset + length))
})

export type Sent = Parameters<Provider["sent"]>[0]

/** Gives `blobs` to those whom `allows` lets have them. */
export const library = (
  blobs: ReadonlyArray<Blob>,
  allows: (peer: string, hash: string) => boolean = () => true
): {
  readonly provider: Provider
  /** Waits for the end of the next answer; what was said of it. */
  readonly answered: Effect.Effect<ReadonlyArray<Sent>>
  readonly asked: ReadonlyArray<string>
} => {
  const sent = Effect.runSync(Queue.unbounded<Sent>())
  const asked: Array<string> = []
  const provider: Provider = {
    open: (peer, hash) =>
      Effect.sync(() => {
        asked.push(hash)
        const blob = blobs.find((one) => one.hash === hash)
        return blob !== undefined && allows(peer.hex, hash) ? stored(blob) : undefined
      }),
    sent: (progress) => Effect.asVoid(Queue.offer(sent, progress))
  }
  const answered = Effect.gen(function* () {
    const reports: Array<Sent> = []
    do reports.push(yield* Queue.take(sent))
    while (!reports.some(({ ended }) => ended))
    return reports
  })
  return { provider, answered, asked }
}

/** Fetches some chunks of a blob from where an endpoint is. */
export const fetchFrom = (
  from: Person,
  to: BlobEndpoint,
  by: BlobEndpoint,
  blob: Pick<Blob, "hash" | "tree">,
  ranges: ChunkRanges.ChunkRanges = ChunkRanges.all
) =>
  Stream.unwrap(
    Effect.map(to.addresses, (addresses) =>
      by.fetch({ peer: from.key, addresses, hash: blob.hash, size: blob.tree.size, ranges })
    )
  )

/** Everything that a fetch hands out, copied. */
export const collect = <E>(items: Stream.Stream<ReadonlyArray<BlobAnswer.Verified>, E>) =>
  Stream.runFold(
    items,
    () => [] as Array<BlobAnswer.Verified>,
    (all, some) => {
      for (const item of some) all.push(item.kind === "leaf" ? { ...item, bytes: item.bytes.slice() } : item)
      return all
    }
  )

/** Whether items are exactly the asked chunks of a blob, in their order. */
export const isAnswer = (
  items: ReadonlyArray<BlobAnswer.Verified>,
  blob: Blob,
  ranges: ChunkRanges.ChunkRanges
): boolean => {
  const asked = ChunkRanges.within(ranges, blob.bytes.length)
  let got = ChunkRanges.empty
  let at = -1
  for (const item of items) {
    if (item.kind === "size" && item.size !== blob.bytes.length) return false
    if (item.kind !== "leaf") continue
    if (item.offset <= at && item.offset > 0) return false
    at = item.offset
    if (!Bytes.equal(item.bytes, blob.bytes.subarray(item.offset, item.offset + item.bytes.length))) return false
    const first = item.offset / Blake3.chunkBytes
    got = ChunkRanges.union(
      got,
      ChunkRanges.range(first, first + Math.max(1, Math.ceil(item.bytes.length / Blake3.chunkBytes)))
    )
  }
  return JSON.stringify(got) === JSON.stringify(asked)
}

/** The whole answer for some chunks of a blob. */
export const encoded = (blob: Blob, ranges: ChunkRanges.ChunkRanges): Uint8Array => {
  const parts: Array<Uint8Array> = []
  for (const part of BlobAnswer.encode(blob.tree, ranges, Blake3.subtree)) {
    const { success } = part as Result.Success<BlobAnswer.Part, never>
    if (success.kind === "bytes") parts.push(success.bytes)
    else {
      const bytes = blob.bytes.slice(success.offset, success.offset + success.length)
      parts.push(Result.getOrThrow(success.encode(bytes)))
    }
  }
  return Bytes.concat(...parts)
}
