/** The one place that keeps the seed: an OS keychain, a file or database encrypted under a passphrase, or memory. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"

/** The vault cannot give or take the seed. `locked` wants a passphrase; `wrong_passphrase` was given another. */
export class VaultError extends Data.TaggedError("VaultError")<{
  readonly reason: "locked" | "wrong_passphrase" | "damaged" | "unavailable" | "io"
  readonly detail: string
  readonly cause?: unknown
}> {
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
