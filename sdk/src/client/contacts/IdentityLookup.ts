/** Asks the home who somebody is, and believes only what that somebody signed. */
import * as Effect from "effect/Effect"
import * as VerifiedChain from "../../crypto/VerifiedChain.ts"
import * as VerifiedRecord from "../../crypto/VerifiedRecord.ts"
import type { Envelope } from "../../protocol/sigchain/Envelope.ts"
import { Problem } from "../../protocol/Problem.ts"
import { Crypto } from "../../services/Crypto.ts"
import { Directory, type DirectoryError } from "../../services/Directory.ts"
import { SigchainStore } from "../../services/SigchainStore.ts"

/** A chain whose every event was verified, with its envelopes. */
export interface Chain extends VerifiedChain.VerifiedChain {
  readonly envelopes: ReadonlyArray<Envelope>
}

export interface Introductions {
  byHandle(local: string, server: string): Effect.Effect<VerifiedRecord.VerifiedRecord, DirectoryError>
  byPrimary(primary: string, server: string): Effect.Effect<VerifiedRecord.VerifiedRecord, DirectoryError>
  /** The whole chain of a key, verified; empty where the sig-server knows none. */
  chain(primary: string): Effect.Effect<Chain, DirectoryError>
}

export const make = Effect.gen(function* () {
  const crypto = yield* Crypto
  const directory = yield* Directory
  const sigchains = yield* SigchainStore

  const introductions: Introductions = {
    byHandle: (local, server) =>
      Effect.flatMap(directory.lookup(local), (record) =>
        VerifiedRecord.verify(record, { server, handle: local })
      ).pipe(Effect.provideService(Crypto, crypto)),
    byPrimary: (primary, server) =>
      Effect.flatMap(directory.byPrimary(primary), (record) => VerifiedRecord.verify(record, { server, primary })).pipe(
        Effect.provideService(Crypto, crypto)
      ),
    chain: (primary) =>
      Effect.gen(function* () {
        const envelopes = yield* sigchains.fetch(primary)
        return { ...(yield* VerifiedChain.verify(primary, envelopes)), envelopes }
      }).pipe(
        Effect.catchIf(
          (error) => error instanceof Problem && error.code === "chain_not_found",
          () => Effect.map(VerifiedChain.verify(primary, []), (chain): Chain => ({ ...chain, envelopes: [] }))
        ),
        Effect.provideService(Crypto, crypto)
      )
  }
  return introductions
})
