import { Effect, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { Bytes, Envelope } from "@kez-chat/sdk/protocol"
import * as crypto from "node:crypto"
import { ghost } from "../kit/Ghost.ts"
import { join, keyOf, makeWorld, newWords } from "../kit/People.ts"
import { rotated } from "../kit/Rotating.ts"

/** Signs a payload as it is, as no function of the SDK would. */
const signed = (fill: number, payload: Envelope.Envelope["payload"]): Uint8Array => {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, fill)])
  const key = crypto.createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })
  const digest = crypto.createHash("sha512").update(Envelope.signedBytes(payload)).digest()
  const sig = crypto.sign(null, digest, key).toString("hex")
  return Envelope.encode({
    kez: "chat_message",
    payload,
    signature: { alg: "ed25519-sha512-jcs", key: String(payload["from"]), sig }
  })
}

describe("frames that a later version may read", () => {
  it.live("KEZ-SEQ-020 KEZ-DM-005 are kept as they came, and what follows them arrives", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const bob = yield* join(world, "bob")
      const casper = yield* ghost(210)
      const to = keyOf(bob.account.primary)
      const { envelope } = yield* casper.write({ to, text: "from the future" })
      const future = signed(210, { ...envelope.payload, suite: "x25519-mlkem768-hkdf-sha256-chacha20poly1305" })
      const frame = yield* casper.seal(future, to)
      world.broker.store(to, frame)
      world.broker.store(to, yield* casper.frame({ to, text: "of today" }))
      yield* bob.program.event("Request", ({ message }) => message.text === "of today")
      assert.strictEqual((yield* bob.program.event("Dropped")).code, "suite_unsupported")
      const [kept] = yield* bob.device.store.scan({ prefix: "kept/" })
      const row = JSON.parse(Buffer.from(kept!.value).toString()) as { readonly frame: string }
      assert.deepStrictEqual(Result.getOrThrow(Bytes.fromBase64Url(row.frame)), frame)
    })
  )

  it.live("KEZ-SEQ-020 are tried again by a program that knows more, and shown once", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const bob = yield* join(world, "bob")
      const casper = yield* ghost(211)
      const to = keyOf(bob.account.primary)
      const frame = yield* casper.frame({ to, text: "kept" })
      yield* bob.program.close
      const row = { seq: 1, at: Date.now(), reader: 0, frame: Bytes.toBase64Url(frame) }
      const value = new TextEncoder().encode(JSON.stringify(row))
      yield* bob.device.store.commit([{ op: "put", key: "kept/epoch/000000000000001", value }])
      const again = yield* world.start(bob.device)
      yield* again.event("Request", ({ message }) => message.text === "kept")
      assert.deepStrictEqual(yield* bob.device.store.scan({ prefix: "kept/" }), [])
      world.broker.store(to, frame)
      yield* again.chat.sync
      const shown = again.events.filter((event) => event._tag === "Request")
      assert.lengthOf(shown, 1)
    })
  )

  it.live("are still tried after the account got another key, with the one that they were written to", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const bob = yield* join(world, "bob")
      const casper = yield* ghost(212)
      const frame = yield* casper.frame({ to: keyOf(bob.account.primary), text: "to the first key" })
      const row = { seq: 1, at: Date.now(), reader: 0, frame: Bytes.toBase64Url(frame) }
      const value = new TextEncoder().encode(JSON.stringify(row))
      yield* bob.device.store.commit([{ op: "put", key: "kept/epoch/000000000000001", value }])
      yield* rotated(bob.chat, newWords())
      yield* bob.program.event("Request", ({ message }) => message.text === "to the first key")
      assert.deepStrictEqual(yield* bob.device.store.scan({ prefix: "kept/" }), [])
    })
  )
})
