import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Equal, Result, Schema, Struct } from "effect"
import * as fc from "fast-check"
import { isDeepStrictEqual } from "node:util"
import * as Model from "../../../src/client/model/index.ts"
import { Envelope } from "../../../src/client/model/Protocol.ts"
import { codes, Problem, type Code } from "../../../src/protocol/Problem.ts"
import { BrokerUnavailable, ConnectionState, StoreError } from "../../../src/services/index.ts"

const texts = Arbitrary.schema(Schema.String.check(Schema.isMaxLength(12)))
const numbers = Arbitrary.schema(Schema.Int)

const objects = Arbitrary.map(
  Arbitrary.array(
    Arbitrary.all({ name: texts, text: texts, number: numbers, depth: Arbitrary.schema(Schema.Literals([0, 1, 3])) }),
    { maxLength: 4 }
  ),
  (members) =>
    Object.fromEntries(
      members
        .filter(({ name, text }) => name !== "__proto__" && name.isWellFormed() && text.isWellFormed())
        .map(({ name, text, number, depth }) => [
          name,
          depth === 0 ? text : depth === 1 ? [number, null, true] : { [text === "__proto__" ? "" : text]: [{ number }] }
        ])
    )
)

const messages = Arbitrary.map(
  Arbitrary.all({ rest: Arbitrary.schema(Model.Message.mapFields(Struct.omit(["body"]))), body: objects }),
  ({ rest, body }): Model.Message => ({ ...rest, body })
)

const envelopes = Arbitrary.map(
  Arbitrary.all({
    kez: Arbitrary.schema(Schema.Literals(["sigchain_event", "claim"])),
    payload: objects,
    key: texts,
    sig: texts
  }),
  ({ kez, payload, key, sig }): typeof Envelope.Type => ({
    kez,
    payload,
    signature: { alg: "ed25519-sha512-jcs", key, sig }
  })
)

const verifications = Arbitrary.map(
  Arbitrary.all({
    rest: Arbitrary.schema(Model.Verification.mapFields(Struct.omit(["events"]))),
    events: Arbitrary.array(envelopes, { maxLength: 3 })
  }),
  ({ rest, events }): Model.Verification => ({ ...rest, events })
)

/** Every member of the union with its messages from {@link messages}. */
const events: ReadonlyArray<Arbitrary.Arbitrary<Model.Event>> = Model.Event.members.map(({ fields }) =>
  "message" in fields
    ? Arbitrary.map(
        Arbitrary.all({ rest: Arbitrary.schema(Schema.Struct(Struct.omit(fields, ["message"]))), message: messages }),
        ({ rest, message }) => ({ ...rest, message }) as Model.Event
      )
    : Arbitrary.schema(Schema.Struct(fields) as unknown as Schema.Codec<Model.Event>)
)

/** The same without negative zeros, which JSON does not have. */
const unsigned = (value: unknown): unknown => {
  if (value === 0) return 0
  if (Array.isArray(value)) return value.map(unsigned)
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, unsigned(inner)]))
}

const problems = Arbitrary.map(
  Arbitrary.all({ code: Arbitrary.schema(Schema.Literals(Object.keys(codes) as Array<Code>)), detail: texts }),
  (fields) => new Problem(fields)
)

/** Every error of the union, without causes. */
const errors: ReadonlyArray<Arbitrary.Arbitrary<Model.KezChatError>> = Model.KezChatError.members.map((member) => {
  if (!("fields" in member)) return problems
  const make = member as unknown as new (fields: object) => Model.KezChatError
  const fields = Schema.Struct(Struct.omit(member.fields as Schema.Struct.Fields, ["cause"]))
  return Arbitrary.map(Arbitrary.schema(fields), (values) => new make(unsigned(values) as object))
})

/** JSON knows neither the prototype that some arbitrary objects lack, nor the sign of their zeros. */
const isSameData = <A>(decoded: A, value: A) => Equal.equals(decoded, unsigned(structuredClone(value)) as A)

const arrives = <A, I>(schema: Schema.Codec<A, I>, isSame: (decoded: A, value: A) => boolean = isSameData) => {
  const encode = Schema.encodeSync(schema)
  const decode = Schema.decodeUnknownSync(schema)
  return (value: A) => isSame(decode(JSON.parse(JSON.stringify(encode(value)))), value)
}

const holds = <A>(values: Arbitrary.Arbitrary<A>, property: (value: A) => boolean) =>
  Effect.map(Arbitrary.checkEffect(values, property, { runs: 50 }), (result) => {
    assert.isUndefined(Arbitrary.formatCheckFailure(result))
  })

describe("a value that went through JSON is what it was", () => {
  const structs = {
    Account: Model.Account,
    Contact: Model.Contact,
    OfferedKey: Model.OfferedKey,
    FetchProgress: Model.FetchProgress,
    BoxUsage: Model.BoxUsage,
    InboxUsage: Model.InboxUsage,
    ListedFile: Model.ListedFile,
    Listing: Model.Listing,
    MessageState: Model.MessageState,
    OfferedFile: Model.OfferedFile,
    Settings: Model.Settings,
    Share: Model.Share,
    ShareReader: Model.ShareReader,
    NumberedKey: Model.NumberedKey
  }
  for (const [name, schema] of Object.entries<Schema.Codec<unknown, unknown>>(structs)) {
    it.effect(name, () => holds(Arbitrary.schema(schema), arrives(schema)))
  }
  it.effect("Message", () => holds(messages, arrives(Model.Message)))
  it.effect("Verification", () => holds(verifications, arrives(Model.Verification)))
  it.effect("Event", () => Effect.forEach(events, (event) => holds(event, arrives(Model.Event))))
  it.each<ConnectionState>([
    { _tag: "Connecting", since: 1 },
    { _tag: "Online", since: 2, url: "nats://localhost" },
    { _tag: "Offline", since: 3, error: new BrokerUnavailable({ reason: "timeout", detail: "no answer" }) },
    { _tag: "Closed", since: 4 }
  ])("ConnectionState $_tag", (state) => assert.isTrue(arrives(ConnectionState, isDeepStrictEqual)(state)))
  it.effect("KezChatError, message and class included", () =>
    Effect.forEach(errors, (error) => holds(error, arrives(Model.KezChatError, isDeepStrictEqual)))
  )
})

describe("errors", () => {
  it("cross without their cause", () => {
    const error = new StoreError({ reason: "io", detail: "the disk is gone", cause: new Error("/home/alice") })
    const encoded = Schema.encodeSync(Model.KezChatError)(error)
    assert.deepStrictEqual(encoded, { _tag: "StoreError", reason: "io", detail: "the disk is gone" })
    const decoded = Schema.decodeSync(Model.KezChatError)(encoded)
    assert.instanceOf(decoded, StoreError)
    assert.strictEqual(decoded.message, error.message)
    assert.isUndefined(decoded.cause)
  })
  it("keep the cause where they are", () => {
    const cause = new Error("ENOSPC")
    assert.strictEqual(new StoreError({ reason: "full", detail: "no room", cause }).cause, cause)
  })
})

describe("hostile input is a failure", () => {
  const message: typeof Model.Message.Encoded = {
    id: "AAAAAAAAAAAAAAAAAAAAAA",
    peer: "ed25519:00",
    direction: "in",
    text: "hello",
    type: "text",
    body: { type: "text", text: "hello" },
    createdAt: 1,
    arrivedAt: 2,
    order: 3
  }
  const file = { name: "a", mediaType: "b", size: 1, blobHash: "c", thumbnail: "AAAA" }
  const nested = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`)
  const isRefused = <A>(schema: Schema.Codec<A, unknown>, input: unknown) =>
    Result.isFailure(Schema.decodeUnknownResult(schema)(input))

  it("accepts what the others are made from", () => {
    assert.isFalse(isRefused(Model.Message, { ...message, file, body: nested(16) }))
  })
  it.each([
    ["a body with __proto__", { ...message, body: JSON.parse('{"__proto__":{"type":"text"}}') }],
    ["a body with a lone surrogate", { ...message, body: { text: "\ud800" } }],
    ["a body with a name that is none", { ...message, body: { "\ud800": 1 } }],
    ["a body with a fraction", { ...message, body: { size: 0.5 } }],
    ["a body with a number beyond 2^53", { ...message, body: { size: 2 ** 53 } }],
    ["a body that is a list", { ...message, body: [] }],
    ["a body that is bytes", { ...message, body: new Uint8Array(3) }],
    ["a body with a hole in a list", { ...message, body: { list: Array(2) } }],
    ["a body of 17 levels", { ...message, body: nested(17) }],
    ["a body of 100,000 levels", { ...message, body: nested(100_000) }],
    ["a thumbnail that is no base64url", { ...message, file: { ...file, thumbnail: "A+/A" } }],
    ["a negative size", { ...message, file: { ...file, size: -1 } }],
    ["an order that is no number", { ...message, order: null }],
    ["an unknown direction", { ...message, direction: "sideways" }],
    ["a mark that is false", { ...message, fork: false }],
    ["a member that is undefined", { ...message, failure: undefined }]
  ])("%s", (_, input) => assert.isTrue(isRefused(Model.Message, input)))
  it.each([
    ["an unknown tag", { _tag: "Nothing" }],
    ["no tag", { detail: "x" }],
    ["a problem of an unknown code", { _tag: "Problem", code: "constructor", detail: "x" }],
    ["a cause", { _tag: "StoreError", reason: "io", detail: "x", cause: "y" }],
    ["an unknown reason", { _tag: "StoreError", reason: "bored", detail: "x" }]
  ])("%s of an error", (_, input) => assert.isTrue(isRefused(Model.KezChatError, input)))

  it("answers whatever comes", () => {
    const schemas = [Model.Event, Model.KezChatError, Model.Message, Model.Verification, Model.Share]
    const decoders = schemas.map((schema) => Schema.decodeUnknownResult(schema as Schema.Codec<unknown, unknown>))
    const tags = [...Model.Event.members, ...Model.KezChatError.members].flatMap((member) =>
      "fields" in member ? [member.fields._tag.schema.literal] : []
    )
    const values = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withSparseArray: true }),
      fc.record({
        _tag: fc.constantFrom(...tags),
        message: fc.anything(),
        contact: fc.anything(),
        detail: fc.anything()
      })
    )
    fc.assert(
      fc.property(values, (value) => {
        for (const decode of decoders) decode(value)
      })
    )
  })
})
