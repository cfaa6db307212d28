/** What every BlobTransport must do toward peers that keep to the protocol. Applied to each adapter. */
import { Effect, type Scope } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { ChunkRanges } from "@kez-chat/sdk/protocol"
import type { BlobTransport, BlobTransportError } from "@kez-chat/sdk/services"
import { collect, fetchFrom, isAnswer, library, makeBlob, person } from "./blobs.ts"

export interface TransportUnderTest {
  /** Transports of one call reach each other. */
  readonly transport: Effect.Effect<BlobTransport["Service"], BlobTransportError, Scope.Scope>
}

const [alice, bob] = [person(1), person(2)]
const group = 16 * 1024
const sizes = [0, 1, group - 1, group, group + 1, 4 * group - 1, 4 * group, 4 * group + 1, 3_000_000]

export const blobTransportKit = (name: string, { transport }: TransportUnderTest): void => {
  describe(`BlobTransport: ${name}`, () => {
    it.live.each(sizes)("KEZ-FIL-015: carries a blob of %i bytes", (size) =>
      Effect.gen(function* () {
        const net = yield* transport
        const [provider, fetcher] = [yield* net.open(alice.secret), yield* net.open(bob.secret)]
        const blob = makeBlob(size)
        const { answered, provider: give } = library([blob])
        yield* provider.serve(give)
        const items = yield* collect(fetchFrom(alice, provider, fetcher, blob))
        assert.isTrue(isAnswer(items, blob, ChunkRanges.all))
        const reports = yield* answered
        const all = reports.reduce((sum, { chunks }) => ChunkRanges.union(sum, chunks), ChunkRanges.empty)
        assert.deepStrictEqual(all, ChunkRanges.within(ChunkRanges.all, size))
      }).pipe(Effect.scoped)
    )
  })
}
