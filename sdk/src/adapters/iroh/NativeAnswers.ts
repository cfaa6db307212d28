/** Answers on streams of `@kez-chat/iroh-native`, which verifies and encodes them itself. */
import type * as Addon from "@kez-chat/iroh-native"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Verified } from "../../protocol/files/BlobAnswer.ts"
import * as ChunkRanges from "../../protocol/files/ChunkRanges.ts"
import { Problem } from "../../protocol/Problem.ts"
import type { DuplexStream, StreamFailure } from "../blobs-core/Network.ts"
import { failureOf, firstLine } from "./StreamErrors.ts"

export type Answers = Required<Pick<DuplexStream, "readAnswer" | "writeAnswer">>

const explained = (cause: unknown): StreamFailure | Problem => {
  const detail = /^mismatch: (.*)$/.exec(firstLine(cause))?.[1]
  return detail === undefined ? failureOf(cause) : new Problem({ code: "blob_mismatch", detail })
}

const attempt = <A>(call: () => Promise<A>): Effect.Effect<A, StreamFailure | Problem> =>
  Effect.tryPromise({ try: call, catch: explained })

const itemsOf = ({ bytes, items }: Addon.AnswerPart): ReadonlyArray<Verified> => {
  const verified: Array<Verified> = []
  let at = 0
  for (let i = 0; i < items.length; i += 3) {
    const [kind, place = 0, length = 0] = items.subarray(i, i + 3)
    const own = bytes.subarray(at, at + length)
    at += length
    if (kind === 0) verified.push({ kind: "size", size: place })
    else if (kind === 1) verified.push({ kind: "parent", index: place, pair: own })
    else verified.push({ kind: "leaf", offset: place, bytes: own })
  }
  return verified
}

/** The answers on a stream. */
export const make = ({ recv, send }: Addon.BiStream): Answers => ({
  readAnswer: ({ hash, ranges, size }) => {
    const within = ChunkRanges.within(ranges, size)
    const reader = recv.answer(hash, size, Float64Array.from(within.boundaries))
    let isWhole = false
    return {
      next: Effect.map(
        attempt(() => reader.next()),
        (part) => {
          if (part === null) return []
          isWhole = part.isWhole
          return itemsOf(part)
        }
      ),
      hasBegun: () => reader.received > 0,
      isWhole: () => isWhole
    }
  },
  writeAnswer: ({ hash, outboard, size }, ranges) => {
    const within = ChunkRanges.within(ranges, size)
    const writer = send.answer(hash, size, outboard, Float64Array.from(within.boundaries))
    return {
      run: () =>
        Result.try({
          try: () => writer.run() ?? undefined,
          catch: (cause) => new Problem({ code: "blob_mismatch", detail: firstLine(cause) })
        }),
      write: (bytes) => attempt(() => writer.write(bytes))
    }
  }
})
