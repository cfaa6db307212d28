/** A transfer of a handle that both keys signed (spec: registration, Handing over). */
import * as Effect from "effect/Effect"
import type { Json } from "../../protocol/encoding/Json.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import type { Problem } from "../../protocol/Problem.ts"
import * as Transfer from "../../protocol/registration/Transfer.ts"
import * as Envelope from "../../protocol/sigchain/Envelope.ts"
import { Crypto } from "../../services/Crypto.ts"
import * as SignedEnvelope from "../SignedEnvelope.ts"

/** Parses a request and verifies its three signatures: the old key's, the new key's acceptance, its registration. */
export const verify = Effect.fnUntraced(function* (json: Json): Effect.fn.Return<Transfer.Parsed, Problem, Crypto> {
  const parsed = yield* Effect.fromResult(Transfer.parse(json))
  const { acceptance, newSig, request } = parsed
  yield* SignedEnvelope.verify(request.transfer)
  yield* SignedEnvelope.verifyBytes(yield* Crypto, Envelope.signedBytes(acceptance), {
    alg: Envelope.algorithmOf("ed25519"),
    key: PrimaryKey.format(parsed.new),
    sig: newSig
  })
  yield* SignedEnvelope.verify(request.registration)
  return parsed
})
