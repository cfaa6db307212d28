/** TXT records by the system's resolvers, or by given ones. Whether DNSSEC protects an answer is not known here. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { promises } from "node:dns"
import * as Limits from "../../../protocol/Limits.ts"
import { type TxtAnswer, Unreachable } from "../../proofs-core/Channel.ts"

/** Codes by which a resolver says that the name, or the type at it, does not exist. */
const isAbsent = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOTFOUND" || error.code === "ENODATA")

const words: Readonly<Record<string, string>> = {
  ESERVFAIL: "its name servers fail",
  ETIMEOUT: "no resolver answers",
  ECONNREFUSED: "the resolver refuses",
  EREFUSED: "the resolver refuses"
}

const failed = (name: string, error: unknown) => {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  return new Unreachable({
    reason: "network",
    detail: `${name} cannot be looked up: ${words[code] ?? "the answer cannot be used"}`,
    cause: error
  })
}

/** `servers`: addresses with or without a port, instead of the system's resolvers. */
export const txt =
  (servers?: ReadonlyArray<string>) =>
  (name: string): Effect.Effect<TxtAnswer, Unreachable> =>
    Effect.gen(function* () {
      const resolver = new promises.Resolver({ timeout: 2_000, tries: 2 })
      if (servers !== undefined) resolver.setServers(servers)
      const records = yield* Effect.tryPromise({
        try: () => resolver.resolveTxt(name),
        catch: (error) => error
      }).pipe(
        Effect.catch((error) => (isAbsent(error) ? Effect.succeed([]) : Effect.fail(failed(name, error)))),
        Effect.timeoutOrElse({
          duration: Limits.proofAnswerMillis,
          orElse: () => Effect.fail(failed(name, Object.assign(new Error(), { code: "ETIMEOUT" })))
        }),
        Effect.ensuring(Effect.sync(() => resolver.cancel()))
      )
      return { fetchedAt: yield* Clock.currentTimeMillis, records }
    })
