/** Storage of the seed: an OS keychain, a file or database encrypted under a passphrase, or memory. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { LocalCause } from "./LocalCause.ts"

/** The vault cannot load or save the seed. `locked` needs a passphrase; `wrong_passphrase` got a wrong one. */
export class VaultError extends Schema.TaggedError<VaultError>()("VaultError", {
  reason: Schema.Literals(["locked", "wrong_passphrase", "damaged", "unavailable", "io"]),
  detail: Schema.String,
  cause: LocalCause
}) {
  override get message(): string {
    return `vault: ${this.detail}`
  }
}

export class Vault extends Context.Service<
  Vault,
  {
    /** The vault's kind in words: `OS keychain (Secret Service)`, `encrypted file /…/seed.json`. */
    readonly description: string
    /** The 32-byte seed, or none if there is no account. */
    readonly load: Effect.Effect<Option.Option<Redacted.Redacted<Uint8Array>>, VaultError>
    /** Saves the seed; returns when it is durable. */
    save(seed: Redacted.Redacted<Uint8Array>): Effect.Effect<void, VaultError>
    /** Removes the seed. Idempotent. */
    readonly clear: Effect.Effect<void, VaultError>
  }
>()("@kez-chat/sdk/Vault") {}
