/**
 * A seed sealed to another key of the same account, as it lies in the local store and in exports: `enc32 || ct48` in
 * base64url, HPKE Base. It is no part of the protocol and is sent to nobody.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Bytes from "../protocol/encoding/Bytes.ts"
import type { AdmittedKey } from "../protocol/identity/KeyAdmission.ts"
import * as Limits from "../protocol/Limits.ts"
import { Problem } from "../protocol/Problem.ts"
import type { Crypto } from "../services/Crypto.ts"
import * as Hpke from "./Hpke.ts"
import * as Identity from "./Identity.ts"

const info = Bytes.utf8("kez-chat/former-seed/1")

/** Seals the seed of `of` to the key `to`. */
export const seal = (
  seed: Redacted.Redacted<Uint8Array>,
  of: AdmittedKey,
  to: AdmittedKey
): Effect.Effect<string, never, Crypto> =>
  Effect.map(Hpke.seal(to, info, Bytes.concat(of.ed25519, to.ed25519), Redacted.value(seed)), ({ ciphertext, enc }) =>
    Bytes.toBase64Url(Bytes.concat(enc, ciphertext))
  )

/** Opens the seed of `of` that was sealed to this identity; `content_key_invalid` if it was not, or is another key's. */
export const open = Effect.fnUntraced(function* (
  identity: Identity.Identity,
  of: AdmittedKey,
  sealed: string
): Effect.fn.Return<Redacted.Redacted<Uint8Array>, Problem, Crypto> {
  const bytes = yield* Effect.fromResult(Bytes.fromBase64Url(sealed))
  const parts = { enc: bytes.subarray(0, Limits.keyBytes), ciphertext: bytes.subarray(Limits.keyBytes) }
  const seed = yield* Effect.mapError(
    Hpke.open(identity, info, Bytes.concat(of.ed25519, identity.key.ed25519), parts),
    () => new Problem({ code: "content_key_invalid", detail: "the seed was not sealed to this key" })
  )
  const opened = Redacted.make(seed, { label: "seed" })
  // Whoever knows a key can seal to it.
  if ((yield* Identity.fromSeed(opened)).key.hex === of.hex) return opened
  return yield* new Problem({ code: "content_key_invalid", detail: "the seed is of another key" })
})
