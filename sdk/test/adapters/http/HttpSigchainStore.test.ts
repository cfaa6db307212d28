/** The sigchain store against servers that are older, Rust, or lie. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SignedEnvelope } from "@kez-chat/sdk/crypto"
import { HttpSigchainStore } from "@kez-chat/sdk/http"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Envelope } from "@kez-chat/sdk/protocol"
import { ServerUnreachable, SigchainStore } from "@kez-chat/sdk/services"
import { code, type Handler, identityOf, json, serve, unreachable } from "./ToldServer.ts"

const storeOf = (url: HttpSigchainStore.HttpSigchainStoreOptions["url"]) =>
  Effect.provide(SigchainStore, HttpSigchainStore.layer({ url }))

layer(NodeCrypto.layer, { excludeTestServices: true })("sigchains of other servers", (it) => {
  const eventOf = Effect.gen(function* () {
    const identity = yield* identityOf
    const event = yield* identity.signSigchainEvent({
      after: undefined,
      operation: { op: "add", payload: { subject: "dns:example.org" } },
      createdAt: Date.now()
    })
    return { identity, event, hash: yield* SignedEnvelope.hash(event) }
  })

  it.effect("KEZ-SIG-136 tries /events first, then the chain's own URL, and remembers which it was", () =>
    Effect.gen(function* () {
      const { event, hash, identity } = yield* eventOf
      for (const refusal of [404, 405]) {
        const { asked, url } = yield* serve((request, response) => {
          if (request.url?.endsWith("/events") === true)
            response.writeHead(refusal, { "content-type": "text/plain" }).end("no such route")
          else response.writeHead(200, { "content-type": "text/plain" }).end("ok")
        })
        const store = yield* storeOf(url)
        assert.deepStrictEqual(yield* store.append(identity.primary, event), { seq: 0, hash })
        assert.deepStrictEqual(yield* store.append(identity.primary, event), { seq: 0, hash })
        const chain = `/v1/sigchains/ed25519/${identity.key.hex}`
        assert.deepStrictEqual(asked, [`POST ${chain}/events`, `POST ${chain}`, `POST ${chain}`])
      }
    })
  )

  it.effect("does not hide a refusal behind the second path", () =>
    Effect.gen(function* () {
      const { event, identity } = yield* eventOf
      const { asked, url } = yield* serve(
        json(409, { code: "chain_conflict", detail: "the head is event 3" }, {}, "application/problem+json")
      )
      const store = yield* storeOf(url)
      assert.strictEqual(code(yield* Effect.flip(store.append(identity.primary, event))), "chain_conflict")
      assert.strictEqual(asked.length, 1)
    })
  )

  it.effect("notices a server that says it stored something else", () =>
    Effect.gen(function* () {
      const { event, identity } = yield* eventOf
      const { url } = yield* serve(json(201, { seq: 0, hash: `sha256:${"00".repeat(32)}` }))
      const store = yield* storeOf(url)
      assert.strictEqual(code(yield* Effect.flip(store.append(identity.primary, event))), "chain_fork")
    })
  )

  it.effect("KEZ-SIG-134 takes 404 and an empty 200 alike, of whatever type", () =>
    Effect.gen(function* () {
      const { identity } = yield* eventOf
      for (const handler of [
        json(404, "not found", {}, "text/plain"),
        json(404, { code: "chain_not_found", detail: "" }, {}, "application/problem+json"),
        json(200, "", {}, "application/jsonl"),
        json(200, "\n \r\n", {}, "text/plain"),
        ((_, response) => response.writeHead(200).end()) as Handler
      ]) {
        const { url } = yield* serve(handler)
        const store = yield* storeOf(url)
        assert.deepStrictEqual(yield* store.fetch(identity.primary), [])
      }
      for (const handler of [json(500, "oops", {}, "text/plain"), json(200, "<html>", {}, "application/jsonl")]) {
        const { url } = yield* serve(handler)
        const store = yield* storeOf(url)
        unreachable(yield* Effect.flip(store.fetch(identity.primary)))
      }
    })
  )

  it.effect("reads lines strictly, with blank lines and CRLF, and from `since` where the server ignores it", () =>
    Effect.gen(function* () {
      const { event, identity } = yield* eventOf
      const line = Envelope.encodeText(event)
      const { url } = yield* serve(json(200, `\r\n${line}\r\n\n  \n${line}`, {}, "application/x-ndjson"))
      const store = yield* storeOf(url)
      assert.deepStrictEqual(yield* store.fetch(identity.primary), [event, event])
      assert.deepStrictEqual(yield* store.fetch(identity.primary, 1), [])
      for (const [body, expected] of [
        [`${line}\n{`, "json_malformed"],
        [line.replace('"kez":', '"kez":"claim","kez":'), "json_duplicate_name"],
        [line.replace('"version":1', '"version":1.0'), "json_number"],
        [`${line} ${line}`, "json_malformed"],
        ["[]", "envelope_malformed"],
        [line.replace('"version":1', `"version":1,"x":"${"a".repeat(140_000)}"`), "too_large"]
      ] as const) {
        const bad = yield* serve(json(200, body, {}, "application/jsonl"))
        const hostile = yield* storeOf(bad.url)
        assert.strictEqual(code(yield* Effect.flip(hostile.fetch(identity.primary))), expected)
      }
    })
  )

  it.effect("asks where the sig-server is once, when it is first needed, and again after a failure", () =>
    Effect.gen(function* () {
      const { identity } = yield* eventOf
      const { url } = yield* serve(json(404, "", {}, "text/plain"))
      let asked = 0
      const where = Effect.suspend(() =>
        ++asked === 1
          ? Effect.fail(new ServerUnreachable({ url: "https://home", detail: "offline" }))
          : Effect.succeed(url)
      )
      const store = yield* storeOf(where)
      assert.strictEqual(asked, 0)
      unreachable(yield* Effect.flip(store.fetch(identity.primary)))
      yield* store.fetch(identity.primary)
      yield* store.fetch(identity.primary)
      assert.strictEqual(asked, 2)
    })
  )

  it.effect("asks no server for a primary that is none", () =>
    Effect.gen(function* () {
      const store = yield* storeOf("http://127.0.0.1:1")
      for (const primary of ["", "ed25519:../../x", "nostr:npub1", `ed25519:${"00".repeat(32)}`]) {
        assert.match(code(yield* Effect.flip(store.fetch(primary))), /^key_/)
      }
    })
  )
})
