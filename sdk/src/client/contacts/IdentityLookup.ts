/** Looks up identities at the home server and the sig-server, and verifies that their owners signed them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { VerifiedChain, VerifiedRecord } from "../../crypto/index.ts"
import { Problem } from "../../protocol/Problem.ts"
import { Directory, SigchainStore } from "../../services/index.ts"
import type { Chain } from "../internal/OwnSigchain.ts"

const make = Effect.gen(function* () {
  const directory = yield* Directory
  const sigchains = yield* SigchainStore
  return {
    /** The verified record of a handle of the home server. A reserved handle is nobody's (KEZ-REG-043). */
    byHandle: (local: string, server: string) =>
      directory.lookup(local).pipe(
        Effect.mapError((error) =>
          error instanceof Problem && error.code === "handle_reserved"
            ? new Problem({ code: "handle_not_found", detail: error.detail })
            : error
        ),
        Effect.flatMap((record) => VerifiedRecord.verify(record, { server, handle: local }))
      ),
    /** The verified record of a primary key at the home server. */
    byPrimary: (primary: string, server: string) =>
      Effect.flatMap(directory.byPrimary(primary), (record) => VerifiedRecord.verify(record, { server, primary })),
    /** The whole verified sigchain of a key; empty if the sig-server has none. */
    chain: Effect.fn("IdentityLookup.chain")(
      function* (primary: string) {
        const envelopes = yield* sigchains.fetch(primary)
        return { ...(yield* VerifiedChain.verify(primary, envelopes)), envelopes }
      },
      (chain, primary) =>
        Effect.catchIf(
          chain,
          (error) => error instanceof Problem && error.code === "chain_not_found",
          () => Effect.map(VerifiedChain.verify(primary, []), (empty): Chain => ({ ...empty, envelopes: [] }))
        )
    )
  }
})

export class IdentityLookup extends Context.Service<IdentityLookup>()("@kez-chat/sdk/IdentityLookup", { make }) {}

export const layer = Layer.effect(IdentityLookup, make)
