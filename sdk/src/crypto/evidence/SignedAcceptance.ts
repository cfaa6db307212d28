/** A home's acceptance of a frame (spec/broker.md, Acceptance): verified as its sender gets it, and as an envelope. */
import * as Effect from "effect/Effect"
import * as Acceptance from "../../protocol/broker/Acceptance.ts"
import type { Signed } from "../../protocol/broker/BrokerAnswer.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as Hash from "../../protocol/encoding/Hash.ts"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import * as Envelope from "../../protocol/sigchain/Envelope.ts"
import { Crypto } from "../../services/Crypto.ts"
import * as SignedEnvelope from "../SignedEnvelope.ts"

/** What an acceptance is about. */
export interface Accepted {
  /** The home server's name. */
  readonly server: string
  /** The key that signs, `ed25519:<hex>`. */
  readonly key: AdmittedKey
  readonly recipient: AdmittedKey
  readonly frame: Uint8Array
}

/** The names of recipient and frame in an acceptance. */
export const hashes = Effect.fnUntraced(function* ({ frame, recipient }: Pick<Accepted, "frame" | "recipient">) {
  const crypto = yield* Crypto
  return {
    recipient: Hash.format("sha256", yield* crypto.sha256(Acceptance.recipientBytes(recipient.ed25519))),
    frame: Hash.format("sha256", yield* crypto.sha256(frame))
  }
})

/** The envelope of an acceptance; its signature is not checked. */
export const envelope = (
  accepted: Accepted,
  { atMillis, sig }: Signed
): Effect.Effect<Envelope.Envelope, never, Crypto> =>
  Effect.map(hashes(accepted), (named) => {
    const { key, server } = accepted
    return {
      kez: "acceptance",
      payload: Acceptance.payload({ server, key, ...named, acceptedAt: atMillis }),
      signature: { alg: "ed25519-sha512-jcs", key: PrimaryKey.format(key), sig: Bytes.toHex(sig) }
    }
  })

/** Whether the home with this key signed that it accepted this frame for this recipient. */
export const holds = (accepted: Accepted, signed: Signed): Effect.Effect<boolean, never, Crypto> =>
  Effect.flatMap(envelope(accepted, signed), (made) => Effect.isSuccess(SignedEnvelope.verify(made)))
