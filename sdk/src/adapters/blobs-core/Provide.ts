/** The providing side of one stream: reads the request, asks whether the peer may have the blob, and answers. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as FastBlake3 from "../../crypto/FastBlake3.ts"
import { chunkBytes } from "../../protocol/files/Blake3.ts"
import { groupBytes } from "../../protocol/files/Blake3Tree.ts"
import * as BlobAnswer from "../../protocol/files/BlobAnswer.ts"
import * as BlobRequest from "../../protocol/files/BlobRequest.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as ChunkRanges from "../../protocol/files/ChunkRanges.ts"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import * as Limits from "../../protocol/Limits.ts"
import type { StoredBlob } from "../../services/BlobStore.ts"
import type { Provider } from "../../services/BlobTransport.ts"
import type { DuplexStream, StreamFailure } from "./Network.ts"
import { pieceBytes, type TransferLimits } from "./TransferLimits.ts"

/** Why a request was not answered completely, as the code sent to the peer. */
class Refusal extends Data.TaggedError("Refusal")<{
  readonly code: number
  /** Whether the peer timed out. A network may keep a stuck stream open, but not its connection. */
  readonly stuck?: true
}> {}

const { internal, limit, permission } = BlobRequest.errorCodes
const refuse = (code: number) => Effect.fail(new Refusal({ code }))

const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>, duration: number) =>
  Effect.timeoutOrElse(effect, { duration, orElse: () => Effect.fail(new Refusal({ code: limit, stuck: true })) })

/** `sent` is called at most once per this many bytes. */
const reportBytes = 1024 * 1024

export interface Job {
  readonly peer: AdmittedKey
  readonly stream: DuplexStream
  readonly provider: Provider
  readonly limits: TransferLimits
  /** Called when the peer is given a blob. */
  readonly onServed: () => void
  readonly hangUp: Effect.Effect<void>
}

/** Answers one request. Every failure becomes a code for the peer; the effect never fails. */
export const answer = (job: Job): Effect.Effect<void> =>
  Effect.gen(function* () {
    const request = yield* readRequest(job)
    // Raw blobs only: each blob listed in a hash sequence would need its own authorisation, and this SDK writes none.
    if (request.kind !== "get" || request.children) return yield* refuse(permission)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const hash = Bytes.toHex(request.hash)
        const blob = yield* job.provider.open(job.peer, hash)
        if (blob === undefined) return yield* refuse(permission)
        job.onServed()
        if (ChunkRanges.isEmpty(request.ranges)) return yield* job.stream.end
        yield* send(job, blob, hash, ChunkRanges.within(request.ranges, blob.tree.size))
      })
    )
  }).pipe(
    Effect.catchTags({
      Refusal: ({ code, stuck }) => (stuck === true ? job.hangUp : job.stream.abort(code)),
      StreamFailure: () => job.stream.abort(limit)
    }),
    Effect.catchDefect((defect) =>
      Effect.andThen(Effect.logError("a provider of blobs failed", defect), job.stream.abort(internal))
    ),
    Effect.onInterrupt(() => job.stream.abort(limit))
  )

/** The request ends when the peer ends its direction of the stream. */
const readRequest = ({ limits, stream }: Job): Effect.Effect<BlobRequest.Request, Refusal | StreamFailure> => {
  const read = Effect.gen(function* () {
    const parts: Array<Uint8Array> = []
    let length = 0
    for (;;) {
      const bytes = yield* stream.read(Limits.blobRequestBytes + 1 - length)
      if (bytes.length === 0) break
      parts.push(bytes)
      length += bytes.length
      if (BlobRequest.kindOf((parts[0] as Uint8Array)[0] as number) !== "get") return yield* refuse(permission)
      if (length > Limits.blobRequestBytes) return yield* refuse(limit)
    }
    const request = BlobRequest.decode(Bytes.concat(...parts))
    return Result.isSuccess(request) ? request.success : yield* refuse(permission)
  })
  return inTime(read, limits.requestMillis)
}

const send = (
  { limits, peer, provider, stream }: Job,
  blob: StoredBlob,
  hash: string,
  asked: ChunkRanges.ChunkRanges
): Effect.Effect<void, Refusal | StreamFailure> =>
  Effect.suspend(() => {
    // Earlier chunks are in pieces that the network has taken, and are already reported.
    let written = 0
    let reported = 0
    const report = (ended: boolean) => {
      const chunks = ChunkRanges.intersection(asked, ChunkRanges.range(reported, written))
      reported = written
      return provider.sent({ peer, hash, chunks, ended })
    }
    /** The network has taken all chunks up to this one. */
    const taken = (upTo: number) => {
      written = upTo
      return (written - reported) * chunkBytes >= reportBytes ? report(false) : Effect.void
    }
    return Effect.gen(function* () {
      const job = { blob, asked, stream, limits, taken }
      const upTo = yield* stream.writeAnswer === undefined ? writePlain(job) : writeRuns(job, stream.writeAnswer)
      yield* stream.end
      // Reports the last piece only after its delivery, so no fetch is reported as complete without having arrived.
      yield* inTime(stream.arrived, limits.stallMillis)
      written = upTo
    }).pipe(Effect.onExit(() => report(true)))
  })

interface Writing {
  readonly blob: StoredBlob
  readonly asked: ChunkRanges.ChunkRanges
  readonly stream: DuplexStream
  readonly limits: TransferLimits
  readonly taken: (upTo: number) => Effect.Effect<void>
}

const chunksTo = (offset: number, length: number) => Math.max(1, Math.ceil((offset + length) / chunkBytes))

/** Writes the answer in pieces of equal size; the chunk up to which it goes. */
const writePlain = Effect.fnUntraced(function* ({
  asked,
  blob,
  limits,
  stream,
  taken
}: Writing): Effect.fn.Return<number, Refusal | StreamFailure> {
  const hasher = yield* FastBlake3.load
  const piece = new Uint8Array(pieceBytes)
  let filled = 0
  let upTo = 0
  const write = (bytes: Uint8Array) => inTime(stream.write(bytes), limits.stallMillis)
  for (const part of BlobAnswer.encode(blob.tree, asked, hasher)) {
    if (Result.isFailure(part)) return yield* refuse(internal)
    const bytes = yield* bytesOf(part.success, blob)
    for (let at = 0; at < bytes.length;) {
      const fits = Math.min(piece.length - filled, bytes.length - at)
      piece.set(bytes.subarray(at, at + fits), filled)
      filled += fits
      at += fits
      if (filled < piece.length) break
      yield* write(piece)
      filled = 0
      yield* taken(upTo)
    }
    if (part.success.kind === "read") upTo = chunksTo(part.success.offset, part.success.length)
  }
  yield* write(piece.subarray(0, filled))
  return upTo
})

/** The same where the network encodes, and takes runs of groups. */
const writeRuns = Effect.fnUntraced(function* (
  { asked, blob, limits, taken }: Writing,
  answer: NonNullable<DuplexStream["writeAnswer"]>
): Effect.fn.Return<number, Refusal | StreamFailure> {
  const writer = answer(blob.tree, asked)
  let upTo = 0
  for (;;) {
    const next = writer.run()
    if (Result.isFailure(next)) return yield* refuse(internal)
    if (next.success === undefined) return upTo
    const { length, offset } = next.success
    const run = new Uint8Array(length)
    for (let at = 0; at < length; at += groupBytes) {
      const group = blob.read(offset + at, Math.min(groupBytes, length - at))
      run.set(yield* group.pipe(Effect.catch(() => refuse(internal))), at)
    }
    yield* taken(upTo)
    const written = Effect.catchTag(writer.write(run), "Problem", () => refuse(internal))
    yield* inTime(written, limits.stallMillis)
    upTo = chunksTo(offset, length)
  }
})

const bytesOf = (part: BlobAnswer.Part, blob: StoredBlob): Effect.Effect<Uint8Array, Refusal> => {
  if (part.kind === "bytes") return Effect.succeed(part.bytes)
  return blob.read(part.offset, part.length).pipe(
    Effect.catch(() => refuse(internal)),
    Effect.flatMap((bytes) => Effect.fromResult(part.encode(bytes))),
    Effect.catchTag("Problem", () => refuse(internal))
  )
}
