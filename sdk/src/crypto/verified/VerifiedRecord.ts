/**
 * A server's record of a handle, proven by the owner's signature: the server cannot attach someone else's key to a name
 * (spec: handle records).
 */
import * as Effect from "effect/Effect"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import { Problem } from "../../protocol/Problem.ts"
import * as Registration from "../../protocol/registration/Registration.ts"
import type { Crypto } from "../../services/Crypto.ts"
import * as SignedEnvelope from "../SignedEnvelope.ts"

/** The query: which server, and which name or key (or both). */
export interface Question {
  readonly server: string
  /** Local part. */
  readonly handle?: string
  /** `ed25519:<hex>`. */
  readonly primary?: string
}

export interface VerifiedRecord {
  readonly key: AdmittedKey
  readonly record: Registration.HandleRecord
  readonly registration: Registration.Statement
}

/** Checks the signed registration against record and query; every mismatch is `record_invalid`, with its reason. */
export const verify = Effect.fnUntraced(function* (
  record: Registration.HandleRecord,
  asked: Question
): Effect.fn.Return<VerifiedRecord, Problem, Crypto> {
  const registration = yield* Effect.fromResult(Registration.parseRegistration(record.registration)).pipe(
    Effect.mapError(invalid)
  )
  yield* Effect.mapError(SignedEnvelope.verify(record.registration), invalid)
  const { handle, key, primary, server } = registration
  if (server !== asked.server) return yield* mismatch(`the registration is for ${server} instead of ${asked.server}`)
  if (record.primary !== primary)
    return yield* mismatch(`the registration is by ${primary}, the record names ${record.primary}`)
  if (record.handle !== `${handle}@${server}`) {
    return yield* mismatch(`the registration is for ${handle}@${server}, the record names ${record.handle}`)
  }
  if (asked.handle !== undefined && asked.handle !== handle) {
    return yield* mismatch(`the answer is for ${handle} instead of ${asked.handle}`)
  }
  if (asked.primary !== undefined && asked.primary !== primary) {
    return yield* mismatch(`the answer is for ${primary} instead of ${asked.primary}`)
  }
  return { key, record, registration }
})

const mismatch = (detail: string) => new Problem({ code: "record_invalid", detail })

const invalid = (problem: Problem) => mismatch(`registration: ${problem.message}`)
