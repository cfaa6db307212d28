/**
 * The slots of the vault: its key, sealed under what a person has.
 *
 * A passphrase becomes a key by Argon2id (RFC 9106), the secret of a passkey (WebAuthn PRF) by HKDF-SHA256.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Blank from "../../protocol/encoding/Blank.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import { VaultError } from "../../services/Vault.ts"
import * as AesGcm from "./AesGcm.ts"
import * as VaultRecord from "./VaultRecord.ts"

/** A passkey and the PRF input that its secret was asked with. */
export interface Passkey {
  /** 1 to 1,023 bytes. */
  readonly credentialId: Uint8Array
  /** 32 bytes. */
  readonly prfSalt: Uint8Array
}

/** What opens the vault: the passphrase, the 32-byte secret of a passkey, or the key of an unlocked vault. */
export type Opener =
  | { readonly passphrase: Redacted.Redacted<string> }
  | { readonly credentialId: Uint8Array; readonly secret: Redacted.Redacted<Uint8Array> }
  | { readonly key: Redacted.Redacted<Uint8Array> }

export const vaultError = (reason: VaultError["reason"], detail: string, cause?: unknown): VaultError =>
  new VaultError({ reason, detail, ...(cause === undefined ? {} : { cause }) })

/** Runs WebCrypto and WebAssembly. Their errors hold no inputs. */
export const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, VaultError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      vaultError("unavailable", "the vault needs WebCrypto and WebAssembly, on a page over https", cause)
  })

const passphraseKey = async (
  passphrase: Redacted.Redacted<string>,
  { m, t, p, salt }: VaultRecord.PassphraseSlot["kdf"]
): Promise<CryptoKey> => {
  const { argon2id } = await import("hash-wasm")
  // NFKC, so that one passphrase is the same from every keyboard.
  const password = Bytes.utf8(Redacted.value(passphrase).normalize("NFKC"))
  const cost = { memorySize: m, iterations: t, parallelism: p }
  const hash = await argon2id({ password, salt, ...cost, hashLength: 32, outputType: "binary" })
  password.fill(0)
  const key = await AesGcm.importKey(hash)
  hash.fill(0)
  return key
}

const passkeyKey = (secret: Redacted.Redacted<Uint8Array>): Promise<CryptoKey> =>
  AesGcm.deriveKey(Redacted.value(secret), "kez-chat/web-vault/1/passkey")

/** Seals `key` under a passphrase; fails with `locked` if that is blank. */
export const ofPassphrase = Effect.fnUntraced(function* (
  key: Uint8Array,
  passphrase: Redacted.Redacted<string>
): Effect.fn.Return<VaultRecord.PassphraseSlot, VaultError> {
  if (Blank.isBlank(Redacted.value(passphrase))) {
    return yield* vaultError("locked", "an empty passphrase protects nothing: choose one")
  }
  const salt = crypto.getRandomValues(new Uint8Array(16))
  const slot = { kind: "passphrase", kdf: { name: "argon2id", ...VaultRecord.defaultCost, salt } } as const
  const header = VaultRecord.slotHeader(slot)
  const sealedKey = yield* attempt(async () => AesGcm.seal(await passphraseKey(passphrase, slot.kdf), header, key))
  return { ...slot, sealedKey }
})

/** Seals `key` under the 32-byte secret of a passkey. */
export const ofPasskey = Effect.fnUntraced(function* (
  key: Uint8Array,
  { credentialId, prfSalt, secret }: Passkey & { readonly secret: Redacted.Redacted<Uint8Array> }
): Effect.fn.Return<VaultRecord.PasskeySlot, VaultError> {
  const slot = { kind: "passkey", credentialId: credentialId.slice(), prfSalt: prfSalt.slice() } as const
  const header = VaultRecord.slotHeader(slot)
  const sealedKey = yield* attempt(async () => AesGcm.seal(await passkeyKey(secret), header, key))
  return { ...slot, sealedKey }
})

const wrong = (detail: string): VaultError => vaultError("wrong_passphrase", detail)

const openWith = (
  slot: VaultRecord.PassphraseSlot | VaultRecord.PasskeySlot,
  derive: () => Promise<CryptoKey>
): Effect.Effect<Uint8Array | undefined, VaultError> =>
  attempt(async () => AesGcm.open(await derive(), VaultRecord.slotHeader(slot), slot.sealedKey))

export const openPassphrase = Effect.fnUntraced(function* (
  slot: VaultRecord.PassphraseSlot,
  passphrase: Redacted.Redacted<string>
): Effect.fn.Return<Uint8Array, VaultError> {
  const key = yield* openWith(slot, () => passphraseKey(passphrase, slot.kdf))
  return key ?? (yield* wrong("the passphrase is wrong"))
})

/** The vault's key, in memory of its own. */
export const open = Effect.fnUntraced(function* (
  [passphraseSlot, ...passkeys]: VaultRecord.VaultRecord["slots"],
  opener: Opener
): Effect.fn.Return<Uint8Array, VaultError> {
  if ("passphrase" in opener) return yield* openPassphrase(passphraseSlot, opener.passphrase)
  if ("key" in opener) return Redacted.value(opener.key).slice()
  const slot = passkeys.find(({ credentialId }) => Bytes.equal(credentialId, opener.credentialId))
  if (slot === undefined) return yield* wrong("this passkey does not belong to the vault")
  const key = yield* openWith(slot, () => passkeyKey(opener.secret))
  return key ?? (yield* wrong("the secret of this passkey is wrong"))
})
