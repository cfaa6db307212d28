/**
 * The seed in IndexedDB, sealed under a random key that a passphrase or a passkey opens.
 *
 * Argon2id (RFC 9106) or, for the secret of a passkey (WebAuthn PRF), HKDF-SHA256 derives the key of a slot;
 * AES-256-GCM seals the random key in each slot and the seed under the random key. Handle, primary and slots can be read
 * without a secret. Errors of the database have their `StoreError` as `cause`.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import type { StoreError } from "../../services/LocalStore.ts"
import { Vault, VaultError } from "../../services/Vault.ts"
import * as AesGcm from "./AesGcm.ts"
import { type Database, open, storeError } from "./Database.ts"
import * as VaultRecord from "./VaultRecord.ts"
import * as VaultSlot from "./VaultSlot.ts"
import { attempt, type Opener, type Passkey, vaultError } from "./VaultSlot.ts"

export type { Opener, Passkey } from "./VaultSlot.ts"

export interface Options {
  /** The database; created if missing. It holds nothing else. */
  readonly name: string
}

/** What can be read without a secret. */
export interface PublicPart {
  /** `local@server`. */
  readonly handle: string
  readonly primary: string
  readonly slots: ReadonlyArray<{ readonly kind: "passphrase" } | ({ readonly kind: "passkey" } & Passkey)>
}

/** An open vault, until the scope that it was opened in closes. */
export interface Unlocked {
  readonly vault: Vault["Service"]
  /** The 32 bytes that open the vault again; zero once the scope has closed. */
  readonly key: Redacted.Redacted<Uint8Array>
  /** Puts the seed of another key in the place of the account's, as after a rotation. What opens the vault stays. */
  handOver(next: {
    readonly primary: string
    readonly seed: Redacted.Redacted<Uint8Array>
  }): Effect.Effect<void, VaultError>
  /** Fails with `wrong_passphrase`, or `locked` if `next` is blank. */
  changePassphrase(change: {
    readonly passphrase: Redacted.Redacted<string>
    readonly next: Redacted.Redacted<string>
  }): Effect.Effect<void, VaultError>
  /** Lets a passkey open the vault by its 32-byte secret. Replaces an earlier slot of the same credential. */
  addPasskey(passkey: Passkey & { readonly secret: Redacted.Redacted<Uint8Array> }): Effect.Effect<void, VaultError>
  /** Idempotent. */
  removePasskey(credentialId: Uint8Array): Effect.Effect<void, VaultError>
}

export interface WebVault {
  /** The public part, or none if there is no account. */
  readonly read: Effect.Effect<Option.Option<PublicPart>, VaultError>
  /**
   * A new vault for an account. Saving the seed writes it, over an existing one. Fails with `locked` if the passphrase is
   * blank.
   */
  begin(account: {
    readonly handle: string
    readonly primary: string
    readonly passphrase: Redacted.Redacted<string>
  }): Effect.Effect<Unlocked, VaultError, Scope.Scope>
  /** Fails with `wrong_passphrase` for any wrong secret, and with `unavailable` if there is no account. */
  unlock(opener: Opener): Effect.Effect<Unlocked, VaultError, Scope.Scope>
  /** Removes the vault. Close the scopes of what was unlocked first. Idempotent. */
  readonly clear: Effect.Effect<void, VaultError>
}

/** Layout of the database: one record, its text. */
const version = 1
const recordKey = "vault"

/** The record in memory; without `sealedSeed` it is not in the database. */
type Draft = Omit<VaultRecord.VaultRecord, "v" | "sealedSeed"> & { readonly sealedSeed?: Uint8Array }

const damaged = (detail: string): VaultError =>
  vaultError("damaged", `the vault is damaged: ${detail}. Restore the account from its words`)

const fromStore = (error: StoreError): VaultError =>
  vaultError(
    error.reason === "damaged" ? "damaged" : error.reason === "newer" ? "unavailable" : "io",
    error.detail,
    error
  )

const read = (database: Database): Effect.Effect<Option.Option<VaultRecord.VaultRecord>, VaultError> =>
  database
    .transact("readonly", "strict", ({ entries, on }) => {
      let text: unknown
      on(entries.get(recordKey), (found: unknown) => {
        text = found
      })
      return () => text
    })
    .pipe(
      Effect.mapError(fromStore),
      Effect.flatMap((text) => {
        if (text === undefined) return Effect.succeedNone
        return Effect.fromResult(VaultRecord.decode(text)).pipe(
          Effect.asSome,
          Effect.mapError(({ reason, detail }) =>
            reason === "newer" ? fromStore(storeError(database.name, "newer")) : damaged(detail)
          )
        )
      })
    )

const write = (database: Database, text: string | undefined): Effect.Effect<void, VaultError> =>
  Effect.mapError(
    database.transact("readwrite", "strict", ({ entries }) => {
      if (text === undefined) entries.delete(recordKey)
      else entries.put(text, recordKey)
      return () => undefined
    }),
    fromStore
  )

/** `key` becomes this vault's, which zeroes it at the end. */
const unlocked = Effect.fnUntraced(function* (
  database: Database,
  key: Uint8Array,
  begun: Draft
): Effect.fn.Return<Unlocked, VaultError, Scope.Scope> {
  yield* Effect.addFinalizer(() => Effect.sync(() => key.fill(0)))
  const sealing = yield* attempt(() => AesGcm.importKey(key))
  const changing = yield* Semaphore.make(1)
  let draft = begun

  const openSeed = (account: Draft, sealedSeed: Uint8Array): Effect.Effect<Uint8Array, VaultError> =>
    Effect.flatMap(
      attempt(() => AesGcm.open(sealing, VaultRecord.seedHeader(account), sealedSeed)),
      (seed) => (seed === undefined ? Effect.fail(damaged("its key does not open the seed")) : Effect.succeed(seed))
    )
  if (begun.sealedSeed !== undefined) (yield* openSeed(begun, begun.sealedSeed)).fill(0)

  const change = (step: (now: Draft) => Effect.Effect<Draft, VaultError>): Effect.Effect<void, VaultError> =>
    changing.withPermits(1)(
      Effect.gen(function* () {
        const { sealedSeed, ...next } = yield* step(draft)
        if (sealedSeed !== undefined) yield* write(database, VaultRecord.encode({ v: 1, ...next, sealedSeed }))
        draft = { ...next, ...(sealedSeed === undefined ? {} : { sealedSeed }) }
      })
    )

  const sealSeed = (account: Draft, seed: Redacted.Redacted<Uint8Array>): Effect.Effect<Draft, VaultError> =>
    Effect.map(
      attempt(() => AesGcm.seal(sealing, VaultRecord.seedHeader(account), Redacted.value(seed))),
      (sealedSeed) => ({ ...account, sealedSeed })
    )

  const without = (passkeys: ReadonlyArray<VaultRecord.PasskeySlot>, credentialId: Uint8Array) =>
    passkeys.filter((slot) => !Bytes.equal(slot.credentialId, credentialId))

  return {
    key: Redacted.make(key, { label: "key of the vault" }),
    vault: Vault.of({
      description: "this browser, encrypted under your passphrase",
      load: Effect.gen(function* () {
        const stored = yield* read(database)
        if (Option.isNone(stored)) return Option.none()
        return Option.some(Redacted.make(yield* openSeed(stored.value, stored.value.sealedSeed), { label: "seed" }))
      }),
      save: (seed) => change((now) => sealSeed(now, seed)),
      clear: change(({ handle, primary, slots }) => Effect.as(write(database, undefined), { handle, primary, slots }))
    }),
    handOver: ({ primary, seed }) => change((now) => sealSeed({ ...now, primary }, seed)),
    changePassphrase: ({ passphrase, next }) =>
      change(
        Effect.fnUntraced(function* (now) {
          const [current, ...passkeys] = now.slots
          const opened = yield* VaultSlot.openPassphrase(current, passphrase)
          opened.fill(0)
          return { ...now, slots: [yield* VaultSlot.ofPassphrase(key, next), ...passkeys] as const }
        })
      ),
    addPasskey: (passkey) =>
      change(
        Effect.fnUntraced(function* (now) {
          const [passphrase, ...passkeys] = now.slots
          const others = without(passkeys, passkey.credentialId)
          if (others.length >= VaultRecord.maxPasskeys) {
            return yield* vaultError("io", `the vault has ${VaultRecord.maxPasskeys} passkeys already: remove one`)
          }
          return { ...now, slots: [passphrase, ...others, yield* VaultSlot.ofPasskey(key, passkey)] as const }
        })
      ),
    removePasskey: (credentialId) =>
      change((now) => {
        const [passphrase, ...passkeys] = now.slots
        return Effect.succeed({ ...now, slots: [passphrase, ...without(passkeys, credentialId)] as const })
      })
  }
})

/** Opens the database, and closes it with the scope. Fails with `unavailable` where this browser keeps nothing. */
export const make = Effect.fnUntraced(function* ({
  name
}: Options): Effect.fn.Return<WebVault, VaultError, Scope.Scope> {
  const database = yield* Effect.mapError(open(name, version), (error) =>
    error.reason === "io"
      ? vaultError("unavailable", `this browser keeps nothing here: ${error.detail}`, error)
      : fromStore(error)
  )
  return {
    read: Effect.map(
      read(database),
      Option.map(({ handle, primary, slots: [, ...passkeys] }) => ({
        handle,
        primary,
        slots: [
          { kind: "passphrase" },
          ...passkeys.map(({ kind, credentialId, prfSalt }) => ({ kind, credentialId, prfSalt }))
        ]
      }))
    ),
    begin: Effect.fnUntraced(function* ({ handle, primary, passphrase }) {
      const key = crypto.getRandomValues(new Uint8Array(32))
      return yield* unlocked(database, key, {
        handle,
        primary,
        slots: [yield* VaultSlot.ofPassphrase(key, passphrase)]
      })
    }),
    unlock: Effect.fnUntraced(function* (opener) {
      const stored = yield* read(database)
      if (Option.isNone(stored)) return yield* vaultError("unavailable", "this browser holds no account")
      const key = yield* VaultSlot.open(stored.value.slots, opener)
      return yield* unlocked(database, key, stored.value).pipe(
        Effect.mapError((error) =>
          "key" in opener && error.reason === "damaged"
            ? vaultError("wrong_passphrase", "this key does not open the vault")
            : error
        )
      )
    }),
    clear: write(database, undefined)
  }
})
