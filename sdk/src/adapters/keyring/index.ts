/**
 * The seed in the operating system's keychain: macOS Keychain, Windows Credential Manager, or a Secret Service
 * (GNOME Keyring, KWallet, KeePassXC) on Linux. Needs the optional peer `@napi-rs/keyring`.
 *
 * Only stores that survive a restart count: the Linux kernel's keyutils is refused. Where there is no keychain every
 * call fails with `VaultError` `unavailable`, and {@link detect} says so beforehand without hanging.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Vault, VaultError } from "../../services/Vault.ts"
import * as Keychain from "./keychainProcess.ts"

/** Which keychain this machine has, or why it has none. */
export type Detection =
  | { readonly available: true; readonly name: string }
  | { readonly available: false; readonly reason: string }

export interface KeyringOptions {
  /** Name of the application as the keychain shows it. Default `kez-chat`. */
  readonly service?: string
  /** Which account's seed: unique among the accounts of this user of the machine. */
  readonly account: string
  /** Path of the `@napi-rs/keyring` module, for hosts where Node does not find it by name. */
  readonly module?: string
}

const names: Partial<Record<NodeJS.Platform, string>> = {
  darwin: "macOS Keychain",
  win32: "Windows Credential Manager",
  linux: "Secret Service"
}

const defaultService = "kez-chat"
/** A person may have to unlock the keychain in a dialog first. */
const callTimeoutMillis = 120_000
const probeTimeoutMillis = 5_000

/** Asks the keychain for an entry that nobody has: it answers only where it can be used. Takes at most five seconds. */
export const detect: Effect.Effect<Detection> = Effect.suspend((): Effect.Effect<Detection> => {
  const name = names[process.platform]
  if (name === undefined)
    return Effect.succeed({ available: false, reason: `no keychain is known on ${process.platform}` })
  // Without a session bus there is no Secret Service; it is not worth a process to find that out.
  if (process.platform === "linux" && !process.env["DBUS_SESSION_BUS_ADDRESS"]) {
    return Effect.succeed({ available: false, reason: "there is no D-Bus session, so no Secret Service" })
  }
  return Keychain.ask(
    { op: "probe", service: defaultService, account: "availability-check" },
    { timeoutMillis: probeTimeoutMillis }
  ).pipe(
    Effect.match({
      onSuccess: () => ({ available: true, name }) as const,
      onFailure: (error) => ({ available: false, reason: error.detail }) as const
    })
  )
})

/** Makes the vault; asks the keychain nothing until it is used. */
export const make = (options: KeyringOptions): Vault["Service"] => {
  const entry = { service: options.service ?? defaultService, account: options.account }
  const call = {
    timeoutMillis: callTimeoutMillis,
    ...(options.module === undefined ? {} : { module: options.module })
  }
  return {
    description: `OS keychain (${names[process.platform] ?? "unknown"})`,
    load: Effect.gen(function* () {
      const secret = yield* Keychain.ask({ op: "load", ...entry }, call)
      if (secret === null) return Option.none()
      if (!/^[0-9a-f]{64}$/.test(secret)) {
        return yield* new VaultError({
          reason: "damaged",
          detail: `the keychain entry ${entry.service}/${entry.account} does not hold a seed. Restore the account from its words`
        })
      }
      return Option.some(Redacted.make(new Uint8Array(Buffer.from(secret, "hex")), { label: "seed" }))
    }),
    save: (seed) =>
      Effect.asVoid(
        Keychain.ask({ op: "save", ...entry, secret: Buffer.from(Redacted.value(seed)).toString("hex") }, call)
      ),
    clear: Effect.asVoid(Keychain.ask({ op: "clear", ...entry }, call))
  }
}

/** A `Vault` in the OS keychain. */
export const layer = (options: KeyringOptions): Layer.Layer<Vault> => Layer.succeed(Vault, make(options))
