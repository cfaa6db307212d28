/**
 * The seed in the OS keychain: macOS Keychain, Windows Credential Manager, or a Secret Service on Linux (GNOME Keyring,
 * KWallet, KeePassXC), but not the kernel's keyutils, which lose their content on restart. Needs the optional peer
 * `@napi-rs/keyring`. Without a keychain every call is `unavailable`; {@link detect} tells in advance, without hanging.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { AdapterUnavailable } from "../../services/AdapterUnavailable.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as Limits from "../../protocol/Limits.ts"
import { Vault, VaultError } from "../../services/Vault.ts"
import * as Keychain from "./KeychainProcess.ts"

/** The keychain of this machine, or why there is none. */
export type Detection =
  | { readonly available: true; readonly name: string }
  | { readonly available: false; readonly reason: string }

export interface KeyringOptions {
  /** Application name as the keychain shows it. Default `kez-chat`. */
  readonly service?: string
  /** The account of the seed: unique among the accounts of this user of the machine. */
  readonly account: string
}

const names: Partial<Record<NodeJS.Platform, string>> = {
  darwin: "macOS Keychain",
  win32: "Windows Credential Manager",
  linux: "Secret Service"
}

const defaultService = "kez-chat"
/** Leaves time to unlock the keychain in a dialog. */
const callTimeoutMillis = 120_000
const probeTimeoutMillis = 5_000

/** Probes the keychain with a lookup of a nonexistent entry. Takes at most five seconds. */
export const detect: Effect.Effect<Detection> = Effect.gen(function* () {
  const name = names[process.platform]
  if (name === undefined) return { available: false, reason: `no keychain is known on ${process.platform}` } as const
  // Without a session bus there is no Secret Service, and no need to start a process.
  if (process.platform === "linux" && !process.env["DBUS_SESSION_BUS_ADDRESS"]) {
    return { available: false, reason: "there is no D-Bus session, so no Secret Service" } as const
  }
  const library = yield* Keychain.findLibrary
  yield* Keychain.ask(
    library,
    { op: "probe", service: defaultService, account: "availability-check" },
    probeTimeoutMillis
  )
  return { available: true, name } as const
}).pipe(
  Effect.catch((error) =>
    Effect.succeed({
      available: false,
      reason: error._tag === "AdapterUnavailable" ? error.message : error.detail
    } as const)
  )
)

/** Makes the vault over the native `library` (a path). Accesses the keychain only when used. */
export const make = (library: string, options: KeyringOptions): Vault["Service"] => {
  const entry = { service: options.service ?? defaultService, account: options.account }
  const ask = (request: Pick<Keychain.KeychainRequest, "op" | "secret">) =>
    Keychain.ask(library, { ...request, ...entry }, callTimeoutMillis)
  return {
    description: `OS keychain (${names[process.platform] ?? "unknown"})`,
    load: Effect.gen(function* () {
      const secret = yield* ask({ op: "load" })
      if (secret === null) return Option.none()
      if (!Bytes.isHex(secret, Limits.keyBytes)) {
        return yield* new VaultError({
          reason: "damaged",
          detail: `the keychain entry ${entry.service}/${entry.account} does not hold a seed. Restore the account from its words`
        })
      }
      return Option.some(Redacted.make(new Uint8Array(Buffer.from(secret, "hex")), { label: "seed" }))
    }),
    save: (seed) => Effect.asVoid(ask({ op: "save", secret: Buffer.from(Redacted.value(seed)).toString("hex") })),
    clear: Effect.asVoid(ask({ op: "clear" }))
  }
}

/** A `Vault` in the OS keychain. Fails if `@napi-rs/keyring` is not installed. */
export const layer = (options: KeyringOptions): Layer.Layer<Vault, AdapterUnavailable> =>
  Layer.effect(
    Vault,
    Effect.map(Keychain.findLibrary, (library) => make(library, options))
  )
