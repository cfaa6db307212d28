/** Vault, sealed store and client of an account, opened and closed together. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { IndexedDbLocalStore, SealedLocalStore, WebVault } from "../../adapters/indexeddb/index.ts"
import { NoAccount } from "../../client/model/index.ts"
import { type KezChatClient, open } from "../../promise/index.ts"
import { noHomes } from "../../services/absent/NoHomes.ts"
import { LocalStore } from "../../services/LocalStore.ts"
import { Vault, VaultError } from "../../services/Vault.ts"
import type { VaultSlot } from "../AccountState.ts"
import { layer } from "../index.ts"
import type { Databases } from "./Databases.ts"
import { primaryOf } from "./HomeServer.ts"
import * as Tickets from "./Tickets.ts"

export interface OpenedAccount {
  readonly client: KezChatClient
  readonly unlocked: WebVault.Unlocked
  /** The seed of the account's key, which a rotation changes. Rejects with a `VaultError`. */
  seed(): Promise<Redacted.Redacted<Uint8Array>>
  readonly primary: string
  /** Absent where the browser keeps no key, as WebKitGTK without a keyring: then a reload asks for the passphrase. */
  readonly ticket: string | undefined
  /** Finishes the commit under way. */
  close(): Promise<void>
}

export interface Opening {
  readonly home: string
  readonly databases: Databases
  readonly primary: string
  /** Absent if the vault has it. */
  readonly seed?: Redacted.Redacted<Uint8Array>
  /** The store was taken away while it was open. */
  readonly onLost: () => void
  readonly vault: (vault: WebVault.WebVault) => Effect.Effect<WebVault.Unlocked, VaultError, Scope.Scope>
}

/** The part of the vault that needs no secret; undefined without an account. Rejects with a `VaultError`. */
export const readVault = (
  name: string
): Promise<{ handle: string; primary: string; slots: ReadonlyArray<VaultSlot> } | undefined> =>
  Effect.runPromise(
    Effect.scoped(Effect.flatMap(WebVault.make({ name }), ({ read }) => Effect.map(read, Option.getOrUndefined)))
  )

/** Rejects with a `VaultError` unless `opener` opens the vault; changes nothing. */
export const checkOpener = (name: string, opener: WebVault.Opener): Promise<void> =>
  Effect.runPromise(
    Effect.scoped(Effect.flatMap(WebVault.make({ name }), ({ unlock }) => Effect.asVoid(unlock(opener))))
  )

/**
 * The vault of an open account. The seed of another key, as of a rotation, opens the store before the vault has it: so
 * that whatever the vault holds, the store opens.
 */
const rotating = (
  unlocked: WebVault.Unlocked,
  store: LocalStore["Service"],
  opened: Redacted.Redacted<Uint8Array>
): Vault["Service"] => {
  let held = opened
  return {
    ...unlocked.vault,
    save: Effect.fnUntraced(function* (seed) {
      const primary = yield* Effect.promise(() => primaryOf(seed))
      if (primary === (yield* Effect.promise(() => primaryOf(held)))) return yield* unlocked.vault.save(seed)
      yield* Effect.mapError(
        SealedLocalStore.handOver(store, held, seed),
        (cause) => new VaultError({ reason: "io", detail: cause.message, cause })
      )
      yield* unlocked.handOver({ primary, seed })
      held = seed
    })
  }
}

/** Rejects with a `VaultError`, `StoreError` or `StoreConflict`, and leaves nothing open. */
export const openAccount = async ({
  databases,
  home,
  onLost,
  primary,
  ...options
}: Opening): Promise<OpenedAccount> => {
  const scope = Effect.runSync(Scope.make())
  const end = () => Effect.runPromise(Scope.close(scope, Exit.void))
  try {
    const unlocked = await Effect.runPromise(
      WebVault.make({ name: databases.vault }).pipe(Effect.flatMap(options.vault), Scope.provide(scope))
    )
    const stored = Effect.flatMap(
      unlocked.vault.load,
      Option.match({ onNone: () => Effect.fail(new NoAccount()), onSome: Effect.succeed })
    )
    const seed = options.seed ?? (await Effect.runPromise(stored))
    const store = await Effect.runPromise(
      Scope.provide(IndexedDbLocalStore.make({ name: databases.store, onLost }), scope)
    )
    const client = await open(
      layer({
        home,
        primary,
        // The policy of the page's worker names the home and its servers only.
        homes: noHomes,
        store: Layer.effect(LocalStore, SealedLocalStore.make(store, seed)),
        vault: Layer.succeed(Vault, rotating(unlocked, store, seed))
      })
    )
    return {
      client,
      unlocked,
      seed: () => Effect.runPromise(stored),
      primary,
      ticket: await Tickets.seal(databases.tickets, Redacted.value(unlocked.key)).catch(() => undefined),
      close: async () => {
        await client.close()
        await end()
      }
    }
  } catch (error) {
    await end()
    throw error
  }
}
