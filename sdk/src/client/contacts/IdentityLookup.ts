/**
 * Looks up identities and verifies that their owners signed them: at the home server and its sig-server, or at those of
 * another home, whose server name is `home` in what follows.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { VerifiedChain, VerifiedRecord } from "../../crypto/index.ts"
import type { Handle } from "../../protocol/identity/Handle.ts"
import { Problem } from "../../protocol/Problem.ts"
import { Directory, Homes, SigchainStore } from "../../services/index.ts"
import type { Chain } from "../internal/OwnSigchain.ts"

/** Most rotations that are followed from one key. */
const lineMax = 16

const make = Effect.gen(function* () {
  const directory = yield* Directory
  const sigchains = yield* SigchainStore
  const homes = yield* Homes
  const own = Effect.succeed({
    lookup: directory.lookup,
    byPrimary: directory.byPrimary,
    fetch: sigchains.fetch
  })
  const at = (home: string | undefined) => (home === undefined ? own : homes.at(home))
  const chain = Effect.fn("IdentityLookup.chain")(
    function* (primary: string, home?: string) {
      const envelopes = yield* (yield* at(home)).fetch(primary)
      return { ...(yield* VerifiedChain.verify(primary, envelopes)), envelopes }
    },
    (chain, primary, _home?: string) =>
      Effect.catchIf(
        chain,
        (error) => error instanceof Problem && error.code === "chain_not_found",
        () => Effect.map(VerifiedChain.verify(primary, []), (empty): Chain => ({ ...empty, envelopes: [] }))
      )
  )
  return {
    /** The verified record of a handle. A reserved handle is nobody's (KEZ-REG-043). */
    byHandle: ({ local, server }: Pick<Handle, "local" | "server">, home?: string) =>
      Effect.flatMap(at(home), (asked) => asked.lookup(local)).pipe(
        Effect.mapError((error) =>
          error instanceof Problem && error.code === "handle_reserved"
            ? new Problem({ code: "handle_not_found", detail: error.detail })
            : error
        ),
        Effect.flatMap((record) => VerifiedRecord.verify(record, { server, handle: local }))
      ),
    /** The verified record of a primary key at a server. */
    byPrimary: (primary: string, server: string, home?: string) =>
      Effect.flatMap(
        Effect.flatMap(at(home), (asked) => asked.byPrimary(primary)),
        (record) => VerifiedRecord.verify(record, { server, primary })
      ),
    /** The whole verified sigchain of a key; empty if the sig-server has none. */
    chain,
    /**
     * The keys that a key was handed over to, one after the other, as verified sigchains say; `first` is what that of the
     * key itself says. At most {@link lineMax}. A key whose chain does not verify, or that has none, is the last.
     */
    line: Effect.fn("IdentityLookup.line")(function* (first: string | undefined, home?: string) {
      const line: Array<string> = []
      let next = first
      while (next !== undefined && line.length < lineMax && !line.includes(next)) {
        line.push(next)
        next = yield* chain(next, home).pipe(
          Effect.map(({ state }) => state.rotatedTo),
          Effect.catchTag("Problem", () => Effect.undefined)
        )
      }
      return line
    })
  }
})

export class IdentityLookup extends Context.Service<IdentityLookup>()("@kez-chat/sdk/IdentityLookup", { make }) {}

export const layer = Layer.effect(IdentityLookup, make)
