/** TXT records by the system's resolvers, or by given ones. Whether DNSSEC protects an answer is not known here. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { promises } from "node:dns"
import * as Limits from "../../../protocol/Limits.ts"
import { type TxtAnswer, Unreachable } from "../../proofs-core/Channel.ts"

const none = { records: [], exists: true }
const noName = { records: [], exists: false }

/** What the codes of `node:dns` say by which a resolver answers without records. */
const absent: Readonly<Record<string, typeof none | undefined>> = { ENODATA: none, ENOTFOUND: noName }

const words: Readonly<Record<string, string>> = {
  ESERVFAIL: "its name servers fail",
  ETIMEOUT: "no resolver answers",
  ECONNREFUSED: "the resolver refuses",
  EREFUSED: "the resolver refuses",
  ERR_INVALID_IP_ADDRESS: "a resolver is not given as an address"
}

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "")

const failed = (name: string, error: unknown) =>
  new Unreachable({
    reason: "network",
    detail: `${name} cannot be looked up: ${words[codeOf(error)] ?? "the answer cannot be used"}`,
    cause: error
  })

/** `servers`: addresses with or without a port, instead of the system's resolvers. */
export const txt =
  (servers?: ReadonlyArray<string>) =>
  (name: string): Effect.Effect<TxtAnswer, Unreachable> =>
    Effect.gen(function* () {
      const resolver = new promises.Resolver({ timeout: 2_000, tries: 2 })
      if (servers !== undefined) {
        yield* Effect.try({ try: () => resolver.setServers(servers), catch: (error) => failed(name, error) })
      }
      const answer = yield* Effect.tryPromise({
        try: async () => ({ records: await resolver.resolveTxt(name), exists: true }),
        catch: (error) => error
      }).pipe(
        Effect.catch((error) => {
          const known = absent[codeOf(error)]
          return known === undefined ? Effect.fail(failed(name, error)) : Effect.succeed(known)
        }),
        Effect.timeoutOrElse({
          duration: Limits.proofAnswerMillis,
          orElse: () => Effect.fail(failed(name, Object.assign(new Error(), { code: "ETIMEOUT" })))
        }),
        Effect.ensuring(Effect.sync(() => resolver.cancel()))
      )
      return { fetchedAt: yield* Clock.currentTimeMillis, ...answer }
    })
