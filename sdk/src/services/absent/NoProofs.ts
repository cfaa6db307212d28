/** For clients that check no proofs: claims stay `unreachable`. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fail } from "../../protocol/Problem.ts"
import { ProofFetcher, ProofUnreachable } from "../ProofFetcher.ts"

/** A fetcher that knows no system. */
export const noProofs: Layer.Layer<ProofFetcher> = Layer.succeed(ProofFetcher, {
  systems: [],
  decompress: Effect.succeed(() => fail("encoding_malformed", "this client does not check proofs")),
  fetch: ({ text }) =>
    Effect.fail(
      new ProofUnreachable({ subject: text, reason: "unsupported", detail: "this client does not check proofs" })
    ),
  publication: () => Effect.succeed(undefined)
})
