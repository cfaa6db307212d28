import { Ajv2020 } from "ajv/dist/2020.js"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { Block, Trim } from "../../src/protocol/index.ts"

const spec = path.resolve(import.meta.dirname, "../../../spec")
const json = (file: string): unknown => JSON.parse(fs.readFileSync(path.join(spec, file), "utf8"))
const files = fs.readdirSync(path.join(spec, "schemas")).filter((name) => name.endsWith(".schema.json"))

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true })
for (const name of files) ajv.addSchema(json(`schemas/${name}`) as object, name)

const validator = (name: string) => {
  const validate = ajv.getSchema(`${name}.schema.json`)
  if (validate === undefined) throw new Error(`no schema ${name}`)
  return (value: unknown) => (validate(value) ? [] : (validate.errors ?? []))
}

describe("schemas of the specification", () => {
  it.each(files)("%s is a JSON Schema whose references resolve", (name) => {
    expect(ajv.getSchema(name)).toBeTypeOf("function")
  })

  interface Case {
    readonly id: string
    readonly input: Readonly<Record<string, unknown>>
    readonly result: unknown
  }
  const cases = (file: string) => (json(`vectors/${file}`) as { readonly cases: ReadonlyArray<Case> }).cases
  const holds = (schema: string, id: string, value: unknown) =>
    expect({ id, errors: validator(schema)(value) }).toEqual({ id, errors: [] })
  const text = (bytes: unknown): unknown => JSON.parse(Buffer.from(String(bytes), "base64url").toString())

  it("hold the valid vectors", () => {
    for (const { id, input } of cases("envelope/envelope.valid.json")) holds("envelope", id, text(input["json"]))
    for (const { id, input } of cases("envelope/claim.valid.json")) holds("claim", id, input["envelope"])
    for (const { id, input, result } of cases("sigchain/chain.valid.json")) {
      for (const event of input["events"] as ReadonlyArray<unknown>) holds("sigchain-event", id, event)
      holds("head", id, (result as { readonly head: unknown }).head)
    }
    const schemas: Readonly<Record<string, string>> = {
      flat: "flat-registration",
      invited: "invited-registration",
      "invited-flat": "invited-registration"
    }
    for (const { id, input } of cases("registration/register.valid.json")) {
      holds(schemas[id] ?? "handle-registration", id, input["body"])
    }
    for (const { id, input } of cases("registration/record.valid.json")) holds("record", id, input["record"])
    for (const { id, input } of cases("registration/well-known.valid.json")) {
      // A reader takes this one; no server may write it.
      if (id !== "unknown-registration" && id !== "proof-sources") holds("well-known", id, input["json"])
    }
    for (const { id, input } of cases("broker/fetch-request.valid.json"))
      holds("fetch-request", id, text(input["request"]))
    for (const name of ["trim-request", "block-request"]) {
      for (const { id, input } of cases(`broker/${name}.valid.json`)) holds(name, id, text(input["request"]))
    }
    const nonce = new Uint8Array(16)
    const report = {
      epoch: "AAECAwQFBgcICQoLDA0ODw",
      used: 1,
      limit: 2,
      strangers: { used: 1, limit: 1 },
      oldestMillis: 1_779_667_200_000
    }
    holds("trim-answer", "report", JSON.parse(Buffer.from(Trim.encodeAnswer(report, nonce)).toString()))
    holds("block-answer", "done", JSON.parse(Buffer.from(Block.encodeAnswer(nonce)).toString()))
    for (const { id, result } of cases("messages/encrypt.valid.json")) {
      const { envelope } = result as { readonly envelope?: unknown }
      if (envelope !== undefined) holds("chat-message", id, envelope)
    }
    for (const { id, result } of cases("messages/open.valid.json")) {
      holds("body", id, (result as { readonly body: unknown }).body)
    }
    const registration = cases("registration/register.valid.json")[0]?.input["body"] as { readonly payload: object }
    const payload = { ...registration.payload, type: "kez.chat.handle_deletion" }
    holds("handle-deletion", "kind", { ...registration, kez: "handle_deletion", payload })
    for (const answer of [{ ok: 1 }, { e: "full" }, { e: "slow", at: "2026-11-30T00:00:00Z" }])
      holds("send-answer", "answer", answer)
    holds("manifest-head", "stored", { revision: 7, hash: `blake3:${"0".repeat(64)}` })
    holds("problem", "problem", {
      type: "urn:kez:problem:chain_conflict",
      title: "x",
      status: 409,
      code: "chain_conflict",
      detail: ""
    })
  })

  /** Faults of form that a schema can see; the rest of the invalid vectors is beyond it. */
  it("refuse invalid vectors whose form is wrong", () => {
    const refused = (schema: string, file: string, ids: ReadonlyArray<string>, of: (one: Case) => unknown) => {
      const all = cases(file)
      for (const id of ids) {
        const found = all.find((one) => one.id === id)
        if (found === undefined) throw new Error(`${file} has no ${id}`)
        expect({ id, valid: validator(schema)(of(found)).length === 0 }).toEqual({ id, valid: false })
      }
    }
    const shape = [
      "extra-member",
      "extra-signature-member",
      "no-kez",
      "no-payload",
      "no-sig",
      "unknown-kind",
      "kind-and-type",
      "version-2",
      "version-string",
      "primary-missing",
      "unknown-alg",
      "sig-upper-case",
      "sig-short"
    ]
    refused("envelope", "envelope/envelope.invalid.json", shape, ({ input }) => text(input["json"]))
    const event = ({ input }: Case) => (input["events"] as ReadonlyArray<unknown>).at(-1)
    const events = [
      "no-op",
      "empty-op",
      "long-op",
      "no-payload",
      "payload-array",
      "no-seq",
      "seq-string",
      "seq-negative",
      "time-form",
      "prev-at-0",
      "no-prev",
      "prev-form",
      "endpoint-protocol",
      "endpoint-wildcard",
      "endpoint-url",
      "endpoint-ws-null",
      "endpoint-node-case",
      "remove-nothing",
      "manifest-form",
      "manifest-size",
      "manifest-large",
      "rotate-no-sig"
    ]
    refused("sigchain-event", "sigchain/chain.invalid.json", events, event)
    refused(
      "record",
      "registration/record.invalid.json",
      ["no-registration", "registration-null", "deletion-as-registration", "handle-not-full"],
      ({ input }) => input["record"]
    )
    refused(
      "well-known",
      "registration/well-known.invalid.json",
      ["no-server", "server-form", "no-broker", "broker-scheme", "sig-server", "limit"],
      ({ input }) => input["json"]
    )
  })

  it("hold every file of vectors", () => {
    const names = fs.readdirSync(path.join(spec, "vectors"), { recursive: true, encoding: "utf8" })
    for (const name of names.filter((name) => name.endsWith(".json"))) holds("vectors", name, json(`vectors/${name}`))
  })

  it("holds requirements.json", () => {
    expect(validator("requirements")(json("requirements.json"))).toEqual([])
  })

  it("holds the manifests and bodies of the vectors", () => {
    const cases = (file: string) =>
      (json(`vectors/${file}`) as { readonly cases: ReadonlyArray<{ readonly input: { readonly body: string } }> })
        .cases
    for (const { input } of cases("manifest/read.valid.json")) {
      expect(validator("manifest")(JSON.parse(Buffer.from(input.body, "base64url").toString("utf8")))).toEqual([])
    }
  })
})
