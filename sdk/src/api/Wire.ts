/** The JSON of both servers. Shapes only: clients verify the content after decoding. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Envelope from "../protocol/sigchain/Envelope.ts"
import * as Hash from "../protocol/encoding/Hash.ts"
import type { Json } from "../protocol/encoding/Json.ts"
import type { Problem } from "../protocol/Problem.ts"
import * as Registration from "../protocol/registration/Registration.ts"
import type { Head } from "../protocol/sigchain/Sigchain.ts"

const hex = (characters: number) => Schema.String.check(Schema.isPattern(new RegExp(`^[0-9a-f]{${characters}}$`)))

/** A domain type with its wire shape. The protocol's own parser decodes it, so contract and parser cannot disagree. */
const parsed = <A, S extends Schema.Codec<unknown, unknown>>(
  wire: S,
  is: (value: unknown) => value is A,
  parse: (json: Json) => Result.Result<A, Problem>,
  toJson: (value: A) => unknown
): Schema.Codec<A, S["Encoded"]> =>
  wire.pipe(
    Schema.decodeTo(
      Schema.declare(is),
      SchemaTransformation.transformEffect({
        decode: (json: unknown) =>
          Effect.fromResult(
            Result.mapError(
              parse(json as Json),
              (problem) => new SchemaIssue.InvalidValue({ message: problem.message })
            )
          ),
        encode: (value: A) => Effect.succeed(toJson(value) as S["Type"])
      })
    )
  ) as unknown as Schema.Codec<A, S["Encoded"]>

const isRecord = (value: unknown): value is object => typeof value === "object" && value !== null

const SignedEnvelopeJson = Schema.Struct({
  kez: Schema.Literals(Object.keys(Envelope.kinds) as Array<Envelope.Kind>),
  payload: Schema.JsonObject,
  signature: Schema.Struct({
    alg: Schema.Literals(Object.keys(Envelope.algorithms) as Array<Envelope.Algorithm>),
    key: Schema.String,
    sig: hex(128)
  })
}).annotate({ identifier: "Envelope", description: "A signed envelope; only the payload is signed, as JCS" })

/** A signed envelope. */
export const SignedEnvelope = parsed<Envelope.Envelope, typeof SignedEnvelopeJson>(
  SignedEnvelopeJson,
  (value): value is Envelope.Envelope => isRecord(value) && "kez" in value,
  Envelope.fromJson,
  Envelope.toJson
)

const HandleRecordJson = Schema.Struct({
  handle: Schema.String.annotate({ description: "local@server" }),
  primary: Schema.String.annotate({ description: "ed25519:<64 hex>" }),
  registered_at: Schema.String.annotate({ description: "RFC 3339 UTC" }),
  sigchain_url: Schema.String,
  endpoints: Schema.Array(Schema.JsonObject),
  registration: SignedEnvelopeJson
}).annotate({ identifier: "HandleRecord", description: "What the server says about a handle; clients verify it" })

/** A home server's record of a handle. */
export const HandleRecord = parsed<Registration.HandleRecord, typeof HandleRecordJson>(
  HandleRecordJson,
  (value): value is Registration.HandleRecord => isRecord(value) && "registration" in value,
  Registration.parseRecord,
  Registration.recordToJson
)

const WellKnownJson = Schema.Struct({
  server: Schema.String,
  broker: Schema.Struct({ tcp: Schema.Array(Schema.String), websocket: Schema.Array(Schema.String) }),
  sig_server: Schema.String,
  registration: Schema.optionalKey(Schema.String.annotate({ description: "open (when missing), invite or closed" })),
  operator: Schema.optionalKey(
    Schema.Struct({
      contact: Schema.optionalKey(Schema.String),
      terms: Schema.optionalKey(Schema.String),
      privacy: Schema.optionalKey(Schema.String)
    })
  ),
  proof_sources: Schema.optionalKey(
    Schema.Struct({
      dns: Schema.optionalKey(Schema.String.annotate({ description: "DNS over HTTPS" })),
      nostr: Schema.optionalKey(Schema.Array(Schema.String).annotate({ description: "relays" })),
      bluesky: Schema.optionalKey(Schema.String.annotate({ description: "XRPC service" })),
      plc: Schema.optionalKey(Schema.String.annotate({ description: "directory of did:plc" }))
    }).annotate({ description: "what a page of this home may ask for proofs" })
  ),
  acceptance_keys: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description: "keys under which acceptances are signed, the one in use first"
    })
  ),
  limits: Schema.optionalKey(Schema.Record(Schema.String, Schema.Int))
}).annotate({ identifier: "WellKnown" })

/** `/.well-known/kez-chat`. */
export const WellKnown = parsed<Registration.WellKnown, typeof WellKnownJson>(
  WellKnownJson,
  (value): value is Registration.WellKnown => isRecord(value) && "broker" in value,
  Registration.parseWellKnown,
  (value) => value
)

/** The flat registration of KEZ's first design: the same statement without an envelope, its server implied. */
export const FlatRegistration = Schema.Struct({
  handle: Schema.String,
  primary: Schema.String,
  created_at: Schema.String,
  registration_sig: hex(128)
}).annotate({ identifier: "FlatRegistration" })

/** A registration with the invite that it needs (KEZ-REG-046). */
export const InvitedRegistration = Schema.Struct({
  invite: Schema.String,
  registration: Schema.Union([SignedEnvelope, FlatRegistration])
}).annotate({ identifier: "InvitedRegistration" })

/** Both keys' statements that hand a handle over (KEZ-REG-120). */
export const HandleTransfer = Schema.Struct({ transfer: SignedEnvelope, registration: SignedEnvelope }).annotate({
  identifier: "HandleTransfer"
})

/**
 * `GET /v1/healthz`; 503 with the same body and a `reason`, in sentences for a person, when users are affected.
 * `broker` is `failing` if it runs but does not store messages, `sig_server` if it runs but does not store events.
 */
export const Health = Schema.Struct({
  status: Schema.Literals(["ok", "degraded"]),
  server: Schema.String,
  version: Schema.String,
  broker: Schema.Literals(["connected", "unreachable", "failing"]),
  database: Schema.Literals(["ok", "failing"]),
  sig_server: Schema.optionalKey(Schema.Literals(["ok", "unreachable", "failing"])),
  reason: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "Health" })

/** `GET /v1/healthz` of the sig-server. */
export const SigHealth = Schema.Struct({
  status: Schema.Literals(["ok", "degraded"]),
  version: Schema.String,
  database: Schema.Literals(["ok", "failing"]),
  reason: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "SigHealth" })

/** The head of a chain. */
export const ChainHead: Schema.Codec<Head, { readonly seq: number; readonly hash: string }> = Schema.Struct({
  seq: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  hash: Schema.String.check(Schema.isPattern(Hash.pattern("sha256")))
}).annotate({ identifier: "Head" })

/** The stored manifest. */
export const ManifestHead = Schema.Struct({
  revision: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  hash: Schema.String.check(Schema.isPattern(Hash.pattern("blake3")))
}).annotate({ identifier: "ManifestHead" })

/** Names a received report. */
export const ReportReceipt = Schema.Struct({ id: Schema.String }).annotate({ identifier: "ReportReceipt" })

/** RFC 7033 JSON Resource Descriptor, limited to the used members. */
export const ResourceDescriptor = Schema.Struct({
  subject: Schema.String,
  aliases: Schema.Array(Schema.String),
  properties: Schema.Record(Schema.String, Schema.String),
  links: Schema.Array(Schema.Struct({ rel: Schema.String, type: Schema.String, href: Schema.String }))
}).annotate({ identifier: "ResourceDescriptor" })
