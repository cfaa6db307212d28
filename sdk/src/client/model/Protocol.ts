/** Schemas of the protocol's types that occur in the model; `protocol` itself has no schemas. */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Struct from "effect/Struct"
import type { Endpoint as Endpoints, Json, Sigchain } from "../../protocol/index.ts"
import { Envelope as Envelopes, Limits, Problem as Problems } from "../../protocol/index.ts"

/** Milliseconds since the epoch. */
export const Millis = Schema.Int

const isJson = (value: unknown, depthLeft: number): boolean => {
  switch (typeof value) {
    case "boolean":
      return true
    case "number":
      return Number.isSafeInteger(value)
    case "string":
      return value.isWellFormed()
    case "object":
      return value === null || isContainer(value, depthLeft)
    default:
      return false
  }
}

const isContainer = (value: object, depthLeft: number): boolean => {
  if (depthLeft === 0) return false
  if (Array.isArray(value)) return Array.from(value).every((item) => isJson(item, depthLeft - 1))
  if (Object.prototype.toString.call(value) !== "[object Object]") return false
  return Object.entries(value).every(
    ([name, member]) => name !== "__proto__" && name.isWellFormed() && isJson(member, depthLeft - 1)
  )
}

const isJsonObject = (value: unknown): value is Json.JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && isContainer(value, Limits.jsonDepth)

/** A JSON object as strict parsing returns it (KEZ-CAN-005 to 011). */
export const JsonObject: Schema.Codec<Json.JsonObject> = Schema.declare(isJsonObject, {
  identifier: "JsonObject",
  expected: "a JSON object of the protocol",
  toCodecJson: () => undefined
})

export const Head: Schema.Codec<Sigchain.Head> = Schema.Struct({ seq: Schema.Natural, hash: Schema.String })

export const Endpoint: Schema.Codec<Endpoints.Endpoint> = Schema.Union([
  Schema.Struct({
    protocol: Schema.Literal("nats"),
    url: Schema.String,
    ws_url: Schema.optionalKey(Schema.String),
    inbox: Schema.String
  }),
  Schema.Struct({
    protocol: Schema.Literal("iroh"),
    node_id: Schema.String,
    relay_url: Schema.optionalKey(Schema.String)
  })
])

/** Checks the form only: an envelope from somebody else must still be verified. */
export const Envelope: Schema.Codec<Envelopes.Envelope> = Schema.Struct({
  kez: Schema.Literals(Struct.keys(Envelopes.kinds)),
  payload: JsonObject,
  signature: Schema.Struct({
    alg: Schema.Literals(Struct.keys(Envelopes.algorithms)),
    key: Schema.String,
    sig: Schema.String
  })
})

export const Problem = Schema.TaggedStruct("Problem", {
  code: Schema.Literals(Struct.keys(Problems.codes)),
  detail: Schema.String
}).pipe(
  Schema.decodeTo(
    Schema.instanceOf(Problems.Problem),
    SchemaTransformation.transform({
      decode: ({ code, detail }) => new Problems.Problem({ code, detail }),
      encode: ({ code, detail }) => ({ _tag: "Problem" as const, code, detail })
    })
  )
)
