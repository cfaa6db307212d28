/**
 * The HTTP contract of kez-chat-server (spec: registration, WebFinger, manifest), from which server and client are
 * derived. Excludes the page at `/`, `/docs` and the internal listener: no client program depends on them.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import type { Code } from "../protocol/Problem.ts"
import { problems } from "./ProblemBody.ts"
import { always, malformedEnvelope, upload } from "./Refusals.ts"
import {
  FlatRegistration,
  HandleRecord,
  HandleTransfer,
  Health,
  InvitedRegistration,
  ManifestHead,
  ReportReceipt,
  ResourceDescriptor,
  SignedEnvelope,
  WellKnown
} from "./Wire.ts"

/** Refusals of a body that should be a signed envelope. */
const envelope = [
  ...malformedEnvelope,
  "key_malformed",
  "key_rejected",
  "timestamp_malformed",
  "signature_invalid",
  "handle_deleted",
  ...upload
] as const satisfies ReadonlyArray<Code>

/** Refusals of a registration or deletion. */
const statement = [...envelope, "handle_malformed", "wrong_server", "clock_skew"] as const satisfies ReadonlyArray<Code>

const describe = (summary: string, description: string) => OpenApi.annotations({ summary, description })

export class HandlesGroup extends HttpApiGroup.make("handles").add(
  HttpApiEndpoint.post("register", "/v1/register", {
    payload: [SignedEnvelope, FlatRegistration, InvitedRegistration],
    success: [HandleRecord.pipe(HttpApiSchema.status(201)), HandleRecord],
    error: problems(
      ...statement,
      "handle_taken",
      "primary_taken",
      "handle_reserved",
      "primary_moved",
      "account_suspended",
      "invite_required",
      "invite_invalid",
      "registration_closed"
    )
  }).annotateMerge(
    describe(
      "Take a handle",
      "First come, first served, if the server's description admits the registration: `open`, `invite` or `closed`. `created_at` must lie within 5 minutes of the server's clock. Repeating one's own active registration answers 200 whatever the clock."
    )
  ),
  HttpApiEndpoint.get("lookup", "/v1/u/:handle", {
    params: { handle: Schema.String },
    success: HandleRecord,
    error: problems(
      "handle_malformed",
      "handle_not_found",
      "handle_reserved",
      "account_suspended",
      "not_local",
      "handle_deleted",
      ...always
    )
  }).annotateMerge(describe("Look up a handle", "Takes `chris` and `chris@this.server`.")),
  HttpApiEndpoint.get("byPrimary", "/v1/by-primary/:primary", {
    params: { primary: Schema.String },
    success: HandleRecord,
    error: problems(
      "key_malformed",
      "key_rejected",
      "handle_not_found",
      "account_suspended",
      "handle_deleted",
      "primary_moved",
      ...always
    )
  }).annotateMerge(describe("Look up a key", "Takes `ed25519:<hex>`. A key that handed its handle over answers 410.")),
  HttpApiEndpoint.post("transfer", "/v1/transfer", {
    payload: HandleTransfer,
    success: HandleRecord,
    error: problems(
      ...statement,
      "handle_not_found",
      "unauthorized",
      "primary_taken",
      "primary_moved",
      "account_suspended"
    )
  }).annotateMerge(
    describe(
      "Hand a handle over to another key",
      "Signed by both keys. Afterwards the old key can only fetch the mail that it has, until retention ends. Repeating a transfer that was made answers 200 whatever the clock."
    )
  ),
  HttpApiEndpoint.post("delete", "/v1/delete", {
    payload: SignedEnvelope,
    success: HttpApiSchema.NoContent,
    error: problems(...statement, "handle_not_found", "unauthorized")
  }).annotateMerge(
    describe(
      "Give up a handle",
      "For good: handle and key stay unusable on this server, connections are closed, the inbox is purged. Repeating one's own deletion succeeds."
    )
  ),
  HttpApiEndpoint.delete("deleteAt", "/v1/u/:handle", {
    params: { handle: Schema.String },
    payload: SignedEnvelope,
    success: HttpApiSchema.NoContent,
    error: problems(...statement, "handle_not_found", "not_local", "unauthorized")
  }).annotateMerge(describe("Give up a handle", "The same as `POST /v1/delete`."))
) {}

/** The exact bytes of a manifest: JCS, so no JSON codec may change them. */
const ManifestBody = Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array({ contentType: "application/json" }))

export class ManifestsGroup extends HttpApiGroup.make("manifests").add(
  HttpApiEndpoint.put("put", "/v1/manifests/ed25519/:hex", {
    params: { hex: Schema.String },
    payload: ManifestBody,
    success: [ManifestHead.pipe(HttpApiSchema.status(201)), ManifestHead],
    error: problems(
      ...envelope,
      "encoding_malformed",
      "ticket_malformed",
      "ticket_mismatch",
      "manifest_malformed",
      "manifest_conflict",
      "store_full",
      "handle_not_found",
      "account_suspended",
      "primary_moved",
      "unauthorized"
    )
  }).annotateMerge(
    describe(
      "Store a manifest",
      "The exact bytes (JCS) of a `shared_files` envelope of at most 1 MiB, signed by the key in the path, which must hold a handle here. 201 when stored, 200 for the newest one again, 409 unless its revision is higher than that of the newest. The last four of an owner are kept, and the one that the newest calls anchored."
    )
  ),
  HttpApiEndpoint.get("current", "/v1/manifests/ed25519/:hex", {
    params: { hex: Schema.String },
    headers: { "if-none-match": Schema.optionalKey(Schema.String) },
    success: ManifestBody,
    error: problems("key_malformed", "key_rejected", "manifest_not_found", ...always)
  }).annotateMerge(
    describe(
      "Read the newest manifest",
      "The bytes as they were stored. Its hash is the ETag; the owner's signature and sigchain say whether it is theirs and current."
    )
  ),
  HttpApiEndpoint.get("byHash", "/v1/manifests/ed25519/:hex/:hash", {
    params: { hex: Schema.String, hash: Schema.String },
    success: ManifestBody,
    error: problems("key_malformed", "key_rejected", "encoding_malformed", "manifest_not_found", ...always)
  }).annotateMerge(
    describe("Read a manifest by its hash", "`hash` is the BLAKE3 of the bytes as 64 hexadecimal digits.")
  )
) {}

export class ReportsGroup extends HttpApiGroup.make("reports").add(
  HttpApiEndpoint.post("report", "/v1/report", {
    payload: SignedEnvelope,
    success: [ReportReceipt.pipe(HttpApiSchema.status(201)), ReportReceipt],
    error: problems(
      ...envelope,
      "encoding_malformed",
      "message_malformed",
      "message_misdirected",
      "message_undecryptable",
      "padding_invalid",
      "suite_unsupported",
      "wrong_server",
      "clock_skew",
      "handle_not_found",
      "account_suspended",
      "primary_moved",
      "store_full"
    )
  }).annotateMerge(
    describe(
      "Report an account to the operator",
      "Signed by an account of this server, about another one, with at most 16 messages that the operator can verify. 201 when received, 200 for the same report again."
    )
  )
) {}

export class ServerGroup extends HttpApiGroup.make("server").add(
  HttpApiEndpoint.get("wellKnown", "/.well-known/kez-chat", {
    success: WellKnown,
    error: problems(...always)
  }).annotateMerge(describe("What this server is", "Its name, broker URLs, sig-server and limits.")),
  HttpApiEndpoint.get("webfinger", "/.well-known/webfinger", {
    query: {
      resource: Schema.String,
      rel: Schema.optionalKey(Schema.Union([Schema.String, Schema.Array(Schema.String)]))
    },
    success: ResourceDescriptor.pipe(HttpApiSchema.asJson({ contentType: "application/jrd+json" })),
    error: problems(
      "request_malformed",
      "handle_not_found",
      "account_suspended",
      "not_local",
      "handle_deleted",
      ...always
    )
  }).annotateMerge(describe("WebFinger (RFC 7033)", "For `acct:` resources of this server.")),
  HttpApiEndpoint.get("healthz", "/v1/healthz", {
    success: [Health, Health.pipe(HttpApiSchema.status(503))],
    error: problems("rate_limited", "internal")
  }).annotateMerge(
    describe(
      "Whether this server can do its work",
      "503 while a message or a registration could not be stored, nobody can log in, or the sig-server does not work; `reason` says why."
    )
  )
) {}

export class ChatServerApi extends HttpApi.make("kez-chat-server")
  .add(HandlesGroup)
  .add(ManifestsGroup)
  .add(ReportsGroup)
  .add(ServerGroup)
  .annotateMerge(
    OpenApi.annotations({
      title: "kez-chat-server",
      description:
        "Handles and manifests of a kez-chat home server. Errors are RFC 9457 problems with a `code` from one closed list.",
      license: { name: "Apache-2.0 OR MIT" }
    })
  ) {}
