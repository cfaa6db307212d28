/** The values of spec/walkthrough.md, taken by the reference implementation. */
import { readFileSync } from "node:fs"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { answer } from "../src/reference/Answer.ts"
import type { Input } from "../src/reference/CaseInput.ts"

const text = readFileSync(new URL("../../spec/walkthrough.md", import.meta.url), "utf8")
const values = new Map(
  [...text.matchAll(/<!-- value: (.+?) -->\n\n```\w*\n([^]+?)\n```/g)].map(([, name, value]) => [name, value!])
)
const value = (name: string): string => {
  const found = values.get(name)
  assert.isDefined(found, name)
  return found!
}
const json = (name: string) => JSON.parse(value(name))
const joined = (name: string): string => value(name).replaceAll("\n", "")
const base64Url = (data: Buffer | string): string => Buffer.from(data).toString("base64url")

const ask = (operation: string, input: Input) =>
  Effect.map(answer(operation, input), (response) => {
    assert.property(response, "ok", `${operation}: ${JSON.stringify(response)}`)
    return JSON.parse(JSON.stringify(response)).ok
  })

const server = "kez.example"
const now = "2026-05-25T00:00:00Z"

layer(NodeCrypto.layer)((it) => {
  it.effect("the walkthrough's accounts", () =>
    Effect.gen(function* () {
      const { server: named } = yield* ask("wellKnown.parse", { json: json("description") })
      assert.strictEqual(named, server)
      for (const [record, chain, head] of [
        ["record", "event", "head"],
        ["bob-record", "bob-chain", "bob-head"]
      ] as const) {
        const { primary, handle } = json(record)
        const asked = { server, handle: handle.split("@")[0]!, primary }
        yield* ask("record.verify", { record: json(record), asked })
        const verified = yield* ask("sigchain.verify", { primary, events: [json(chain)] })
        assert.deepStrictEqual(verified.head, json(head))
      }
      yield* ask("registration.check", { body: json("registration"), server, now })
    })
  )

  it.effect("the walkthrough's login", () =>
    Effect.gen(function* () {
      const { seed } = yield* ask("mnemonic.toSeed", { words: value("alice-words") })
      const nonce = /"nonce":"([^"]+)"/.exec(text)![1]!
      const login = yield* ask("login.sign", { seed, host: `nats.${server}`, nonce })
      assert.strictEqual(login.signature, joined("login-signature"))
      assert.include(text, `"nkey":"${/UA\w{54}/.exec(text)![0]}","sig":"${joined("login-signature")}"`)
    })
  )

  it.effect("the walkthrough's message and receipt", () =>
    Effect.gen(function* () {
      const seeds = yield* Effect.all({
        alice: ask("mnemonic.toSeed", { words: value("alice-words") }),
        bob: ask("mnemonic.toSeed", { words: value("bob-words") })
      })
      const open = (reader: "alice" | "bob", frame: string) =>
        ask("message.open", { seed: seeds[reader].seed, frame: base64Url(Buffer.from(joined(frame), "hex")) })

      const incoming = yield* open("bob", "frame")
      assert.strictEqual(incoming.role, "incoming")
      assert.deepStrictEqual(incoming.body, json("body"))
      const copy = yield* open("alice", "own-copy")
      assert.deepStrictEqual({ ...copy, role: "incoming", peer: incoming.peer }, incoming)
      const receipt = yield* open("alice", "receipt-frame")
      assert.deepStrictEqual(receipt.body, json("receipt-body"))

      const account = json("bob-record").primary.slice(8)
      const header = value("page-header")
        .split("\n")
        .map((line) => /^[0-9a-f]+/.exec(line)![0])
        .join("")
      const { n } = json("fetch")
      const page = base64Url(Buffer.from(header + joined("frame"), "hex"))
      const read = yield* ask("page.decode", { page, account, n })
      assert.strictEqual(read.frames.length, 1)

      const both = { a: json("record").primary, b: json("bob-record").primary }
      const safety = yield* ask("safetyNumber.of", both)
      assert.strictEqual(safety.number, value("safety-number"))
    })
  )
})
