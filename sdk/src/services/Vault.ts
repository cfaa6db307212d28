/** The one place that keeps the seed: an OS keychain, a file or database encrypted under a passphrase, or memory. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { LocalCause } from "./LocalCause.ts"

/** The vault cannot give or take the seed. `locked` wants a passphrase; `wrong_passphrase` was given another. */
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
    /** What holds the seed, in words for a person: `OS keychain (Secret Service)`, `encrypted file /…/seed.json`. */
    readonly description: string
    /** The 32-byte seed, or none where no account was made. */
    readonly load: Effect.Effect<Option.Option<Redacted.Redacted<Uint8Array>>, VaultError>
    /** Keeps the seed; returns after it is stored durably. */
    save(seed: Redacted.Redacted<Uint8Array>): Effect.Effect<void, VaultError>
    /** Forgets the seed. Idempotent. */
    readonly clear: Effect.Effect<void, VaultError>
  }
>()("@kez-chat/sdk/Vault") {}
