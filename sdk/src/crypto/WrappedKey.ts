/** The content key of a file, wrapped for one reader: `enc32 || ct48` (spec: files). */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Bytes from "../protocol/encoding/Bytes.ts"
import type { AdmittedKey } from "../protocol/identity/KeyAdmission.ts"
import * as Limits from "../protocol/Limits.ts"
import { Problem } from "../protocol/Problem.ts"
import type { Crypto, EphemeralKey } from "../services/Crypto.ts"
import * as Hpke from "./Hpke.ts"
import type { Identity } from "./Identity.ts"
import type { ContentKey } from "./SealedFile.ts"

const info = Bytes.utf8("kez.file.key/1")

/** The context a wrapped key is bound to: it opens for no other blob and no other owner. */
export interface Binding {
  /** BLAKE3 of the blob, 32 bytes. */
  readonly blobHash: Uint8Array
  /** The account that shares the file. */
  readonly owner: AdmittedKey
}

const aad = ({ blobHash, owner }: Binding, reader: AdmittedKey): Uint8Array =>
  Bytes.concat(blobHash, owner.ed25519, reader.ed25519)

/** Wraps a content key for `reader`; 80 bytes. Only vector tests pass `ephemeral`. */
export const wrap = (
  key: ContentKey,
  binding: Binding,
  reader: AdmittedKey,
  ephemeral?: EphemeralKey
): Effect.Effect<Uint8Array, never, Crypto> =>
  Effect.map(Hpke.seal(reader, info, aad(binding, reader), Redacted.value(key), ephemeral), ({ ciphertext, enc }) =>
    Bytes.concat(enc, ciphertext)
  )

const invalid = (detail: string) => new Problem({ code: "content_key_invalid", detail })

/** Unwraps a content key for this identity; else `content_key_invalid`. */
export const unwrap = (
  identity: Identity,
  binding: Binding,
  wrapped: Uint8Array
): Effect.Effect<ContentKey, Problem, Crypto> => {
  if (wrapped.length !== Limits.wrappedKeyBytes) return Effect.fail(invalid(`${wrapped.length} bytes`))
  const enc = wrapped.subarray(0, Limits.keyBytes)
  const ciphertext = wrapped.subarray(Limits.keyBytes)
  return Hpke.open(identity, info, aad(binding, identity.key), { enc, ciphertext }).pipe(
    Effect.mapError(() => invalid("it was not wrapped for this account and this file")),
    Effect.map((bytes) => Redacted.make(bytes, { label: "content key" }))
  )
}
