/** The fetching side of one stream: writes the request and emits the verified items of the answer. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as FastBlake3 from "../../crypto/FastBlake3.ts"
import { groupBytes } from "../../protocol/files/Blake3Tree.ts"
import * as BlobAnswer from "../../protocol/files/BlobAnswer.ts"
import * as BlobRequest from "../../protocol/files/BlobRequest.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import { Problem } from "../../protocol/Problem.ts"
import { BlobTransportError, type FetchOptions } from "../../services/BlobTransport.ts"
import { type AnswerReader, closings, type DuplexStream, type StreamFailure } from "./Network.ts"
import type { TransferLimits } from "./TransferLimits.ts"

type FetchError = BlobTransportError | Problem

/** Fetches over the stream from `open`. Reads at most one chunk group beyond a wrong item. */
export const fetch = (
  { hash, ranges, size }: Pick<FetchOptions, "hash" | "ranges" | "size">,
  open: Effect.Effect<DuplexStream, BlobTransportError, Scope.Scope>,
  limits: TransferLimits
): Stream.Stream<ReadonlyArray<BlobAnswer.Verified>, FetchError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const hasher = yield* FastBlake3.load
      const root = Result.getOrThrow(Bytes.fromHex(hash))
      const stream = yield* Effect.acquireRelease(open, (opened) => opened.abort(0), { interruptible: true })
      yield* stream.write(BlobRequest.encode(root, ranges)).pipe(
        Effect.andThen(stream.end),
        // A provider that refuses need not read the request; its code comes with the answer.
        Effect.catch(() => Effect.void),
        Effect.timeoutOrElse({ duration: limits.stallMillis, orElse: () => stalled })
      )
      const reader =
        stream.readAnswer?.({ hash: root, size, ranges }) ??
        plainReader(stream, BlobAnswer.decoder({ hash: root, ranges, hasher, size }))
      return Stream.fromPull(Effect.succeed(answerOf(stream, reader, limits)))
    })
  )

const stalled = Effect.fail(
  new BlobTransportError({ reason: "unreachable", detail: "the peer has stopped sending; try again later" })
)

/** Maximum items emitted together when their bytes have already arrived. */
const itemsAtOnce = 16

/** Every call waits for one item and takes those that follow without waiting. */
const plainReader = (stream: DuplexStream, decoder: BlobAnswer.Decoder): AnswerReader => {
  let received = 0
  let failure: Problem | undefined
  return {
    hasBegun: () => received > 0,
    isWhole: () => received > 0 && decoder.wanted === 0,
    next: Effect.gen(function* () {
      const items: Array<BlobAnswer.Verified> = []
      while (failure === undefined && (items.length === 0 || (items.length < itemsAtOnce && stream.ready()))) {
        // Reads what the next item lacks, at most a group more, so that a lying provider cannot make us read on.
        const { wanted } = decoder
        const bytes = yield* stream.read(wanted === 0 ? 1 : wanted < groupBytes ? wanted + groupBytes : wanted)
        if (bytes.length === 0) break
        received += bytes.length
        const result = decoder.push(bytes, (item) => items.push(item))
        if (Result.isFailure(result)) failure = result.failure
      }
      if (failure !== undefined) yield* stream.abort(0)
      return failure !== undefined && items.length === 0 ? yield* failure : items
    })
  }
}

const answerOf = (stream: DuplexStream, reader: AnswerReader, limits: TransferLimits) => {
  const next = Effect.gen(function* () {
    const items = yield* reader.next
    if (items.length > 0) return [items] as const
    // A provider without the blob may also end the stream without a code (iroh-blobs
    // `AtBlobHeaderNextError::NotFound`).
    if (!reader.hasBegun()) return yield* transportError("refused")
    if (reader.isWhole()) return yield* Cause.done()
    return yield* new Problem({ code: "blob_incomplete", detail: "the answer ended early" })
  }).pipe(
    Effect.catchTag("StreamFailure", (failure) => Effect.fail(explained(failure, reader.hasBegun()))),
    Effect.tapErrorTag("Problem", () => stream.abort(0))
  )
  return Effect.suspend(() =>
    Effect.timeoutOrElse(next, {
      // A pooled connection may lead to a dead device, so the first byte gets the short time limit of a dial.
      duration: reader.hasBegun() ? limits.stallMillis : Math.min(limits.dialMillis, limits.stallMillis),
      // A complete answer needs no end of stream from the provider.
      orElse: (): Effect.Effect<never, BlobTransportError | Cause.Done> => (reader.isWhole() ? Cause.done() : stalled)
    })
  )
}

const explained = (failure: StreamFailure, hasBegun: boolean): FetchError => {
  if (failure.reason === "lost") return lost(failure)
  if (failure.code === BlobRequest.errorCodes.limit) return transportError("busy", failure)
  if (!hasBegun || failure.code === BlobRequest.errorCodes.permission) return transportError("refused", failure)
  return new Problem({ code: "blob_incomplete", detail: "the peer ended the transfer" })
}

/** The end of a connection, with the peer's closing reason if it gave one. */
export const lost = (failure: StreamFailure): BlobTransportError => {
  if (failure.words === closings.limit.reason) return transportError("busy", failure)
  return transportError(failure.words === closings.permission.reason ? "refused" : "unreachable", failure)
}

const details = {
  refused: "the peer does not share this file with this account, or no longer has it",
  busy: "the peer is busy; try again later",
  unreachable: "the connection to the peer was lost"
} as const

const transportError = (reason: keyof typeof details, cause?: StreamFailure): BlobTransportError =>
  new BlobTransportError({ reason, detail: details[reason], ...(cause === undefined ? {} : { cause }) })
