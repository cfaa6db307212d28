/** Makes the signed envelope of a stored message again, with the secret that opens it alone. */
import * as Effect from "effect/Effect"
import type { Identity } from "../../crypto/Identity.ts"
import * as MessageEvidence from "../../crypto/evidence/MessageEvidence.ts"
import { Bytes, PrimaryKey } from "../../protocol/index.ts"
import type { JsonObject } from "../../protocol/encoding/Json.ts"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import type { Crypto } from "../../services/index.ts"
import type { Evidence } from "../../protocol/messages/Report.ts"

interface Stored {
  readonly body: JsonObject
  readonly device: string
  readonly seq: number
  readonly createdAt: number
  readonly hash: string
  readonly proof?: { readonly salt: string; readonly sig: string; readonly prev?: string } | undefined
}

/**
 * As {@link disclose}, with the one of the account's keys that the message is from or to; undefined where it is none. A
 * message has the hash it came with under its own parties alone.
 */
export const discloseWith = Effect.fnUntraced(function* (
  identities: ReadonlyArray<Identity>,
  partiesOf: (me: AdmittedKey) => { readonly id: string; readonly from: AdmittedKey; readonly to: AdmittedKey },
  stored: Stored
) {
  for (const identity of identities) {
    const evidence = yield* disclose(identity, partiesOf(identity.key), stored)
    if (evidence !== undefined) return { evidence, identity }
  }
  return undefined
})

/** Undefined where this device cannot make it: it was stored by a version that kept too little. */
export const disclose = Effect.fnUntraced(function* (
  identity: Identity,
  parties: { readonly id: string; readonly from: AdmittedKey; readonly to: AdmittedKey },
  { body, createdAt, device, hash, proof, seq }: Stored
): Effect.fn.Return<Evidence | undefined, never, Crypto> {
  if (proof === undefined) return undefined
  const { prev, salt, sig } = proof
  return yield* Effect.fromResult(Bytes.fromBase64Url(salt)).pipe(
    Effect.flatMap((bytes) =>
      MessageEvidence.disclose(identity, {
        header: { ...parties, device, createdAt, seq, ...(prev === undefined ? {} : { prev }) },
        body,
        salt: bytes,
        signature: { alg: "ed25519-sha512-jcs", key: PrimaryKey.format(parties.from), sig },
        hash
      })
    ),
    Effect.catchTag("Problem", () => Effect.undefined)
  )
})
