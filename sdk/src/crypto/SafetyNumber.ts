/** The safety number of two accounts (spec: safety number). */
import * as Effect from "effect/Effect"
import type { AdmittedKey } from "../protocol/identity/KeyAdmission.ts"
import * as SafetyNumber from "../protocol/identity/SafetyNumber.ts"
import { Crypto } from "../services/Crypto.ts"

export interface Of {
  /** Twelve groups of five digits. */
  readonly digits: string
  /** `kez:sn1:...`. */
  readonly qr: string
  /** 64 bytes, to compare with the result of `SafetyNumber.parseQr`. */
  readonly digest: Uint8Array
}

/** Both sides compute the same number. */
export const of = (a: AdmittedKey, b: AdmittedKey): Effect.Effect<Of, never, Crypto> =>
  Crypto.use((crypto) =>
    Effect.map(crypto.sha512(SafetyNumber.input(a, b)), (digest) => ({
      digits: SafetyNumber.format(digest),
      qr: SafetyNumber.formatQr(digest),
      digest
    }))
  )
