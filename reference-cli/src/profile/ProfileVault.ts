/** The vault of a profile: where its seed is stored. The seed is read once per process. */
import type { AdapterUnavailable, Vault, VaultError } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { fail } from "../Failure.ts"
import type { Host } from "../Host.ts"
import * as Passphrase from "./Passphrase.ts"
import { Ask } from "../terminal/input/Ask.ts"
import type { Screen } from "../terminal/output/Screen.ts"
import type { ProfilePaths } from "./Paths.ts"
import type { VaultPlace } from "./Profile.ts"

type VaultService = Vault["Service"]
type Seed = Redacted.Redacted<Uint8Array>

const attempts = 3

const copy = (seed: Seed): Seed => Redacted.make(new Uint8Array(Redacted.value(seed)), { label: "seed" })

const isSame = (a: Seed, b: Seed): boolean => Buffer.compare(Redacted.value(a), Redacted.value(b)) === 0

/** The same vault with the seed cached in this process's memory, so that a passphrase is asked for once. */
export const holding = (vault: VaultService, first?: Seed): VaultService => {
  let held = first
  const hold = (seed: Seed) => {
    held = copy(seed)
  }
  return {
    description: vault.description,
    load: Effect.suspend(() =>
      held === undefined
        ? Effect.tap(vault.load, (found) => Effect.sync(() => Option.map(found, hold)))
        : Effect.succeed(Option.some(copy(held)))
    ),
    // The seed that was just saved is not written, and no passphrase asked for, a second time.
    save: (seed) =>
      Effect.suspend(() =>
        held !== undefined && isSame(held, seed)
          ? Effect.void
          : Effect.tap(vault.save(seed), () => Effect.sync(() => hold(seed)))
      ),
    clear: Effect.tap(vault.clear, () =>
      Effect.sync(() => {
        if (held !== undefined) Redacted.value(held).fill(0)
        held = undefined
      })
    )
  }
}

const fileVault = Effect.fnUntraced(function* (paths: ProfilePaths, hint: string | undefined, meanwhile: () => void) {
  const services = yield* Effect.context<Ask | Host | Screen>()
  const ask = yield* Ask
  const { FileVault } = yield* Effect.promise(() => import("./SeedFile.ts"))
  let typed = false
  let said = false
  const vault = FileVault.make({
    path: paths.seed,
    passphrase: (purpose) =>
      Passphrase.get(purpose, said ? undefined : hint).pipe(
        Effect.map((given) => {
          typed = given.typed
          said = true
          // The key is derived on another thread, and this one waits.
          setImmediate(meanwhile)
          return given.passphrase
        }),
        Effect.provideContext(services)
      )
  })
  const load = (left: number): VaultService["load"] =>
    vault.load.pipe(
      Effect.catch((error: VaultError) =>
        error.reason === "wrong_passphrase" && typed && left > 1
          ? Effect.andThen(ask.show("That is not the passphrase.\n"), load(left - 1))
          : Effect.fail(error)
      )
    )
  return { ...vault, load: load(attempts) }
})

/**
 * The vault of a profile, not opened yet. `hint` is shown once beside the question for the passphrase. `meanwhile` is
 * called when a passphrase is known and the seed is not yet.
 */
export const of = Effect.fn("ProfileVault.of")(function* (
  paths: ProfilePaths,
  where: VaultPlace,
  hint?: string,
  meanwhile: () => void = () => undefined
): Effect.fn.Return<VaultService, AdapterUnavailable, Ask | Host | Screen> {
  if (where.kind === "file") return holding(yield* fileVault(paths, hint, meanwhile))
  const [Keyring, { Vault }] = yield* Effect.promise(() =>
    Promise.all([import("@kez-chat/sdk/keyring"), import("@kez-chat/sdk/services")])
  )
  const vault = yield* Vault.pipe(Effect.provide(Keyring.layer({ account: where.entry })))
  return holding(vault)
})

/** The seed of a vault; fails if the vault holds none. */
export const seedOf = Effect.fn("ProfileVault.seedOf")(function* (vault: VaultService, paths: ProfilePaths) {
  const seed = yield* vault.load
  if (Option.isSome(seed)) return seed.value
  return yield* fail("vault_empty", "failed", `${vault.description} holds no seed for the profile ${paths.name}`)
})
