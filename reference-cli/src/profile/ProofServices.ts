/**
 * Which services are asked for proofs: the public ones, or those in the JSON file that `KEZ_PROOFS` names, for a resolver
 * by HTTPS, for relays, and for servers of one's own.
 */
import type { NodeProofs } from "@kez-chat/sdk/node"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { type CliFailure, usage } from "../Failure.ts"
import { Host } from "../Host.ts"

const Texts = Schema.Array(Schema.String)
const Services = Schema.fromJsonString(
  Schema.Struct({
    dnsOverHttps: Schema.optionalKey(Schema.String),
    resolvers: Schema.optionalKey(Texts),
    relays: Schema.optionalKey(Texts),
    xrpc: Schema.optionalKey(Schema.String),
    plc: Schema.optionalKey(Schema.String),
    connectTo: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    ca: Schema.optionalKey(Schema.String)
  })
)

export const wanted: Effect.Effect<NodeProofs.NodeProofOptions, CliFailure, Host> = Effect.gen(function* () {
  const { env } = yield* Host
  const file = env["KEZ_PROOFS"]
  if (file === undefined || file === "") return { env }
  const read = yield* Effect.option(Effect.try({ try: () => fs.readFileSync(file, "utf8"), catch: () => "unreadable" }))
  const services = Option.flatMap(read, Schema.decodeUnknownOption(Services))
  if (Option.isNone(services)) return yield* usage(`KEZ_PROOFS names ${file}, which is not a JSON file of services`)
  return { ...services.value, env }
})
