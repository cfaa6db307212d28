/** A fetcher's side of one stream: writes the request and hands out what it has verified of the answer. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as FastBlake3 from "../../crypto/FastBlake3.ts"
import * as BlobAnswer from "../../protocol/BlobAnswer.ts"
import * as BlobRequest from "../../protocol/BlobRequest.ts"
import * as Bytes from "../../protocol/Bytes.ts"
import { Problem } from "../../protocol/Problem.ts"
import { BlobTransportError, type FetchOptions } from "../../services/BlobTransport.ts"
import type { DuplexStream, StreamFailure } from "./Network.ts"
import { pieceBytes, type TransferLimits } from "./TransferLimits.ts"

type FetchError = BlobTransportError | Problem

/** Fetches over a stream that `open` gives. Nothing is read from it beyond one piece after the first wrong byte. */
export const fetch = (
  { hash, ranges, size }: Pick<FetchOptions, "hash" | "ranges" | "size">,
  open: Effect.Effect<DuplexStream, BlobTransportError, Scope.Scope>,
  limits: TransferLimits
): Stream.Stream<ReadonlyArray<BlobAnswer.Verified>, FetchError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const hasher = yield* FastBlake3.load
      const root = Result.getOrThrow(Bytes.fromHex(hash))
      const decoder = BlobAnswer.decoder({ hash: root, ranges, hasher, size })
      const stream = yield* Effect.acquireRelease(open, (opened) => opened.abort(0), { interruptible: true })
      yield* stream.write(BlobRequest.encode(root, ranges)).pipe(
        Effect.andThen(stream.end),
        // A provider that refuses need not read the request; its code comes with the answer.
        Effect.catch(() => Effect.void),
        Effect.timeoutOrElse({ duration: limits.stallMillis, orElse: () => stalled })
      )
      return Stream.fromPull(Effect.succeed(answerOf(stream, decoder, limits)))
    })
  )

const stalled = Effect.fail(
  new BlobTransportError({ reason: "unreachable", detail: "the peer has stopped sending; try again later" })
)

/** Every pull hands out what one or more pieces of the answer completed. */
const answerOf = (stream: DuplexStream, decoder: BlobAnswer.Decoder, limits: TransferLimits) => {
  let received = 0
  let failure: Problem | undefined
  const next = Effect.gen(function* () {
    for (;;) {
      if (failure !== undefined) return yield* Effect.fail(failure)
      const bytes = yield* Effect.mapError(stream.read(pieceBytes), (error) => explained(error, received))
      if (bytes.length === 0) {
        // Providers that do not have a blob may also end without a word (iroh-blobs `AtBlobHeaderNextError::NotFound`).
        if (received === 0) return yield* refused
        return yield* Effect.andThen(Effect.fromResult(decoder.finish()), Cause.done())
      }
      received += bytes.length
      const items: Array<BlobAnswer.Verified> = []
      const result = decoder.push(bytes, (item) => items.push(item))
      if (Result.isFailure(result)) {
        failure = result.failure
        yield* stream.abort(0)
      }
      if (items.length > 0) return [items] as const
    }
  })
  return Effect.timeoutOrElse(next, {
    duration: limits.stallMillis,
    // Whoever has it all need not wait for the provider to say so.
    orElse: (): Effect.Effect<never, BlobTransportError | Cause.Done> =>
      received > 0 && decoder.wanted === 0 ? Cause.done() : stalled
  })
}

const refusedDetail = "the peer does not give this file to this account, or has it no more"
const refused = Effect.fail(new BlobTransportError({ reason: "refused", detail: refusedDetail }))

const explained = (failure: StreamFailure, received: number): FetchError => {
  if (failure.reason === "lost") return lost(failure)
  if (failure.code === BlobRequest.errorCodes.limit) {
    return new BlobTransportError({
      reason: "busy",
      detail: "the peer has too much to do; try again later",
      cause: failure
    })
  }
  if (received === 0 || failure.code === BlobRequest.errorCodes.permission) {
    return new BlobTransportError({ reason: "refused", detail: refusedDetail, cause: failure })
  }
  return new Problem({ code: "blob_incomplete", detail: "the peer ended the transfer" })
}

export const lost = (failure: StreamFailure): BlobTransportError =>
  new BlobTransportError({ reason: "unreachable", detail: "the connection to the peer was lost", cause: failure })
