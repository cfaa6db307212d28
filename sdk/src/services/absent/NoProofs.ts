/** For clients that check no proofs: claims stay `unreachable`. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ProofFetcher, ProofUnreachable } from "../ProofFetcher.ts"

/** A fetcher that knows no system. */
export const noProofs: Layer.Layer<ProofFetcher> = Layer.succeed(ProofFetcher, {
  systems: [],
  fetch: ({ text }) =>
    Effect.fail(
      new ProofUnreachable({ subject: text, reason: "unsupported", detail: "this client does not check proofs" })
    ),
  publication: () => Effect.succeed(undefined)
})
