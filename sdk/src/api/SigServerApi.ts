/** The HTTP contract of kez-sig-server (spec: sigchain). Server and client are derived from this value. */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import type { Code } from "../protocol/Problem.ts"
import { problems } from "./ProblemBody.ts"
import { always, malformedEnvelope, upload } from "./Refusals.ts"
import { ChainHead, SigHealth, SignedEnvelope } from "./Wire.ts"

const key = ["key_malformed", "key_rejected"] as const satisfies ReadonlyArray<Code>

const appendErrors = problems(
  ...key,
  ...malformedEnvelope,
  "event_malformed",
  "timestamp_malformed",
  "signature_invalid",
  "chain_conflict",
  "chain_terminated",
  "chain_full",
  "store_full",
  ...upload
)

const describe = (summary: string, description: string) => OpenApi.annotations({ summary, description })

/** A chain as JSON Lines: one envelope a line, from sequence number 0 or `since`. */
export const ChainLines = Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array({ contentType: "application/jsonl" }))

const append = {
  params: { hex: Schema.String },
  payload: SignedEnvelope,
  success: [ChainHead.pipe(HttpApiSchema.status(201)), ChainHead],
  error: appendErrors
} as const

export class SigchainsGroup extends HttpApiGroup.make("sigchains").add(
  HttpApiEndpoint.get("events", "/v1/sigchains/ed25519/:hex", {
    params: { hex: Schema.String },
    query: { since: Schema.optionalKey(Schema.String) },
    success: ChainLines,
    error: problems(...key, "chain_not_found", "request_malformed", ...always)
  }).annotateMerge(describe("Read a chain", "One envelope a line, from sequence number `since`. Has an ETag.")),
  HttpApiEndpoint.get("head", "/v1/sigchains/ed25519/:hex/head", {
    params: { hex: Schema.String },
    success: ChainHead,
    error: problems(...key, "chain_not_found", ...always)
  }).annotateMerge(describe("Where a chain stands", "Number and hash of its last event.")),
  HttpApiEndpoint.post("append", "/v1/sigchains/ed25519/:hex/events", append).annotateMerge(
    describe(
      "Append one event",
      "201 when appended, 200 for the identical event again, 409 with the head in `detail` when `seq` or `prev` do not extend the chain."
    )
  ),
  HttpApiEndpoint.post("appendAtChain", "/v1/sigchains/ed25519/:hex", append).annotateMerge(
    describe("Append one event", "The same on the chain's own URL.")
  )
) {}

export class SigServerGroup extends HttpApiGroup.make("server").add(
  HttpApiEndpoint.get("healthz", "/v1/healthz", {
    success: [SigHealth, SigHealth.pipe(HttpApiSchema.status(503))],
    error: problems("rate_limited", "internal")
  }).annotateMerge(describe("Whether this server can do its work", "503 while the database fails."))
) {}

export class SigServerApi extends HttpApi.make("kez-sig-server")
  .add(SigchainsGroup)
  .add(SigServerGroup)
  .annotateMerge(
    OpenApi.annotations({
      title: "kez-sig-server",
      description:
        "Stores sigchains. No accounts: an event's signature is its permission. Errors are RFC 9457 problems.",
      license: { name: "Apache-2.0 OR MIT" }
    })
  ) {}
