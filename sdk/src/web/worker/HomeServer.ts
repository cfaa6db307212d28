/** What the account's worker asks its home server before there is a client. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HttpDirectory from "../../adapters/http/HttpDirectory.ts"
import * as Identity from "../../crypto/Identity.ts"
import * as Handle from "../../protocol/identity/Handle.ts"
import { Problem } from "../../protocol/Problem.ts"
import type { Crypto } from "../../services/Crypto.ts"
import { Directory, type DirectoryError } from "../../services/Directory.ts"
import type { HandleStatus } from "../AccountPort.ts"
import { cryptoLayer } from "../index.ts"

export interface HomeServer {
  /** The part of handles after the `@`. Rejects with a `DirectoryError`. */
  name(): Promise<string>
  status(local: string): Promise<HandleStatus>
  /** The handle of a key; rejects with a `Problem`, `handle_not_found`, if it has none. */
  handleOf(primary: string): Promise<string>
}

const ask = async <A>(home: string, use: (directory: Directory["Service"]) => Effect.Effect<A, DirectoryError>) =>
  Effect.runPromise(Effect.provide(Directory.use(use), HttpDirectory.layer({ home })))

const taken: ReadonlySet<string> = new Set(["handle_deleted", "account_suspended"])

const statusOf = (error: DirectoryError): HandleStatus => {
  if (!(error instanceof Problem)) {
    return error.retryAfterMillis === undefined ? "unreachable" : { limitedUntil: Date.now() + error.retryAfterMillis }
  }
  if (error.code === "handle_not_found") return "free"
  if (taken.has(error.code)) return "taken"
  if (error.code === "handle_reserved") return "reserved"
  return error.code === "handle_malformed" ? "invalid" : "unreachable"
}

export const homeServer = (home: string): HomeServer => ({
  name: () => ask(home, ({ wellKnown }) => Effect.map(wellKnown, ({ server }) => server)),
  status: async (local) =>
    Handle.isLocal(local)
      ? ask(home, (directory) =>
          directory.lookup(local).pipe(
            Effect.as<HandleStatus>("taken"),
            Effect.catch((error) => Effect.succeed(statusOf(error)))
          )
        )
      : "invalid",
  handleOf: (primary) => ask(home, (directory) => Effect.map(directory.byPrimary(primary), ({ handle }) => handle))
})

/** The primary key of a seed. */
export const primaryOf = (seed: Redacted.Redacted<Uint8Array>): Promise<string> =>
  Effect.runPromise(
    Identity.fromSeed(seed).pipe(
      Effect.map(({ primary }) => primary),
      Effect.provide(cryptoLayer as Layer.Layer<Crypto>)
    )
  )
