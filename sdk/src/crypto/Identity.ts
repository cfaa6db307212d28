/** Signs with an account's key. Callers pass typed statements, never bytes, so none can read as another statement. */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Login from "../protocol/broker/BrokerLogin.ts"
import * as Claim from "../protocol/sigchain/Claim.ts"
import * as Envelope from "../protocol/sigchain/Envelope.ts"
import type { JsonObject } from "../protocol/encoding/Json.ts"
import type { AdmittedKey } from "../protocol/identity/KeyAdmission.ts"
import * as Nkey from "../protocol/identity/Nkey.ts"
import * as PrimaryKey from "../protocol/identity/PrimaryKey.ts"
import type { Problem } from "../protocol/Problem.ts"
import * as Report from "../protocol/messages/Report.ts"
import * as Registration from "../protocol/registration/Registration.ts"
import * as Transfer from "../protocol/registration/Transfer.ts"
import * as Sigchain from "../protocol/sigchain/Sigchain.ts"
import type { BrokerLogin } from "../services/Broker.ts"
import { Crypto, type SecretKey } from "../services/Crypto.ts"
import * as IdentitySecret from "./IdentitySecret.ts"
import * as SignedEnvelope from "./SignedEnvelope.ts"

/** Times are milliseconds since the epoch, written in whole seconds. */
export interface Identity {
  readonly key: AdmittedKey
  /** `ed25519:<hex>`. */
  readonly primary: PrimaryKey.PrimaryKey
  /** "I am also `subject`", `system:identifier`. Fails with `identifier_malformed`. */
  signClaim(claim: {
    readonly subject: string
    readonly createdAt: number
    readonly expiresAt?: number
  }): Effect.Effect<Envelope.Envelope, Problem>
  /** The event that follows `after` in this account's chain, or the first one. Rotation is {@link signRotation}. */
  signSigchainEvent(event: {
    readonly after: Sigchain.Head | undefined
    readonly operation: Exclude<Sigchain.Operation, { readonly op: "rotate" }>
    readonly createdAt: number
  }): Effect.Effect<Envelope.Envelope, Problem>
  /** The last event of this account's chain: hands over to `successor`, whose acceptance is included in the event. */
  signRotation(event: {
    readonly after: Sigchain.Head | undefined
    readonly successor: Identity
    readonly createdAt: number
  }): Effect.Effect<Envelope.Envelope, Problem>
  /** Registers `handle@server` for this key. Fails with `handle_malformed`. */
  signRegistration(statement: HandleStatement): Effect.Effect<Envelope.Envelope, Problem>
  /** Deletes `handle@server` permanently. */
  signDeletion(statement: HandleStatement): Effect.Effect<Envelope.Envelope, Problem>
  /**
   * Hands `handle@server` over to `successor`, with its acceptance and its registration of the handle. `rotate` is the
   * hash of the event that ended this account's chain.
   */
  signTransfer(
    statement: HandleStatement & { readonly rotate: string; readonly successor: Identity }
  ): Effect.Effect<Transfer.Request, Problem>
  /** Reports another account to the home's operator. */
  signReport(report: Omit<Report.Report, "reporter">): Effect.Effect<Envelope.Envelope, Problem>
  /** Proves this key to the broker. Its `sign` throws a `Problem` (`login_refused`) if the nonce is malformed. */
  readonly brokerLogin: BrokerLogin
}

export interface HandleStatement {
  /** Local part. */
  readonly handle: string
  readonly server: string
  readonly createdAt: number
}

/** The identity of a 32-byte seed. From then on only the backend holds the key. */
export const fromSeed = (seed: Redacted.Redacted<Uint8Array>): Effect.Effect<Identity, never, Crypto> =>
  Crypto.use((crypto) => Effect.map(crypto.importSeed(seed), (secret) => make(crypto, secret)))

const make = (crypto: Crypto["Service"], secret: SecretKey): Identity => {
  const key = secret.publicKey
  const primary = PrimaryKey.format(key)

  const sign = Effect.fnUntraced(function* (kez: Envelope.Kind, checked: Result.Result<JsonObject, Problem>) {
    const payload = yield* Effect.fromResult(checked)
    return { kez, payload, signature: yield* SignedEnvelope.signText(crypto, secret, Envelope.signedText(payload)) }
  })

  const signEvent = (
    after: Sigchain.Head | undefined,
    operation: Sigchain.Operation,
    createdAt: number
  ): Effect.Effect<Envelope.Envelope, Problem> => {
    const payload = Sigchain.eventPayload({ primary, after, operation, createdAt })
    return sign(
      "sigchain_event",
      Result.map(Sigchain.checkOperation(primary, operation), () => payload)
    )
  }

  const identity: Identity = {
    key,
    primary,
    signClaim: (claim) => Effect.suspend(() => sign("claim", Claim.payload({ ...claim, primary }))),
    signSigchainEvent: ({ after, createdAt, operation }) =>
      Effect.suspend(() => signEvent(after, operation, createdAt)),
    signRotation: ({ after, createdAt, successor }) =>
      Effect.suspend(() => {
        const acceptance = Sigchain.acceptancePayload({ old: primary, new: successor.primary, after, createdAt })
        const newSecret = IdentitySecret.of(successor)
        return Effect.flatMap(
          SignedEnvelope.signText(crypto, newSecret, Envelope.signedText(acceptance)),
          ({ key: new_primary, sig: new_sig }) =>
            signEvent(after, { op: "rotate", payload: { new_primary, new_sig } }, createdAt)
        )
      }),
    signRegistration: (statement) =>
      Effect.suspend(() =>
        sign("handle_registration", Registration.payload("handle_registration", { ...statement, key }))
      ),
    signDeletion: (statement) =>
      Effect.suspend(() => sign("handle_deletion", Registration.payload("handle_deletion", { ...statement, key }))),
    signTransfer: ({ rotate, successor, ...statement }) =>
      Effect.gen(function* () {
        const statements = { ...statement, old: key, new: successor.key, rotate }
        const acceptance = yield* Effect.fromResult(Transfer.acceptancePayload(statements))
        const newSecret = IdentitySecret.of(successor)
        const { sig: newSig } = yield* SignedEnvelope.signText(crypto, newSecret, Envelope.signedText(acceptance))
        return {
          transfer: yield* sign("handle_transfer", Transfer.payload({ ...statements, newSig })),
          registration: yield* successor.signRegistration(statement)
        }
      }),
    signReport: (report) => sign("report", Result.succeed(Report.payload({ ...report, reporter: key }))),
    brokerLogin: {
      account: key,
      nkey: Nkey.fromKey(key),
      sign: (host, nonce) => crypto.signSync(secret, Result.getOrThrow(Login.loginBytes(host, nonce)))
    }
  }
  IdentitySecret.keep(identity, secret)
  return identity
}
