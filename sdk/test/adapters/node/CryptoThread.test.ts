/** Opening many frames with a thread: the verdicts of the main thread, whatever becomes of the thread. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { createPrivateKey } from "node:crypto"
import { promisify } from "node:util"
import { ed25519 } from "@noble/curves/ed25519.js"
import * as CryptoThread from "../../../src/adapters/node/CryptoThread.ts"
import { NodeCrypto } from "../../../src/adapters/node/index.ts"
import * as Portable from "../../../src/adapters/crypto-core/Portable.ts"
import { Identity, SealedMessage } from "../../../src/crypto/index.ts"
import { Bytes, Seal } from "../../../src/protocol/index.ts"
import { Crypto } from "../../../src/services/Crypto.ts"
import { alice, bob, draft, frame, seed, text } from "../../kits/Accounts.ts"

const count = 200

/** Frames good and bad: whole, with every part bent, and with ephemeral keys of small order. */
const frames = Effect.gen(function* () {
  const whole = yield* frame(alice, draft(bob, text("hello")), bob)
  const { ciphertext, enc } = yield* Effect.fromResult(Seal.decode(whole))
  const bent = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
  const signed = yield* SealedMessage.encrypt(alice, draft(bob, text("hello")))
  const sealed = (encoded: string) => SealedMessage.sealFrame(Bytes.utf8(encoded), bob.key)
  const encoded = new TextDecoder().decode(signed.encoded)
  const sig = signed.envelope.signature.sig
  const some = [
    whole,
    bent(whole, whole.length - 1),
    yield* Effect.fromResult(Seal.encode({ enc: bent(enc, 3), ciphertext })),
    yield* Effect.fromResult(Seal.encode({ enc: new Uint8Array(32), ciphertext })),
    yield* Effect.fromResult(
      Seal.encode({ enc: Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0)), ciphertext })
    ),
    yield* sealed(encoded),
    yield* sealed(encoded.replace(sig, `00${sig.slice(2)}`)),
    yield* sealed(encoded.replace(sig, `${sig.slice(0, 64)}${"f".repeat(64)}`)),
    // R is the identity, about which versions of OpenSSL disagree.
    yield* sealed(encoded.replace(sig, `01${"0".repeat(62)}${sig.slice(64)}`)),
    yield* sealed(encoded.replace('"seq":', '"seq":1')),
    yield* sealed("{}"),
    new Uint8Array(40)
  ]
  return Array.from({ length: count }, (_, index) => some[index % some.length] as Uint8Array)
})

const open = (reader: Identity.Identity, all: ReadonlyArray<Uint8Array>) =>
  Effect.forEach(all, (bytes) => Effect.result(SealedMessage.openFrame(reader, bytes)), { concurrency: "unbounded" })

const x25519 = createPrivateKey({
  key: Buffer.concat([
    Buffer.from(Portable.pkcs8.X25519, "hex"),
    ed25519.utils.toMontgomerySecret(new Uint8Array(32).fill(2))
  ]),
  format: "der",
  type: "pkcs8"
})

const listen = (work: string) => `const { parentPort } = require("node:worker_threads")
let messages = 0
parentPort.on("message", ({ answer, input, size }) => { messages++; ${work} })`

const isAnswered = Effect.fnUntraced(
  function* (program: string | undefined) {
    const all = yield* frames
    const here = yield* Crypto
    const reader = yield* Identity.fromSeed(seed(2))
    const expected = yield* open(reader, all)
    let fallen = 0
    const counted: typeof here = {
      ...here,
      agreeWithEphemeral: (key, enc) => {
        fallen++
        return here.agreeWithEphemeral(key, enc)
      }
    }
    const thread = yield* CryptoThread.make(counted, () => x25519, program)
    for (let round = 0; round < 2; round++) {
      const found = yield* Effect.provideService(open(reader, all), Crypto, { ...here, ...thread })
      assert.deepStrictEqual(found, expected)
    }
    return fallen
  },
  Effect.scoped,
  Effect.provide(NodeCrypto.layer)
)

describe("the thread that helps to open a backlog", () => {
  it.effect("gives the verdicts of the main thread, which computes only what fails", () =>
    Effect.gen(function* () {
      const refused = yield* isAnswered(undefined)
      // Those of small order: 2 of 12 frames, in two rounds.
      assert.isAbove(refused, 0)
      assert.isBelow(refused, count / 2)
    })
  )

  for (const [what, program] of Object.entries({
    "that cannot start": "throw new Error('no')",
    "that is no program": "{",
    "that ends with its first batch": listen("process.exit(0)"),
    "that throws on its second": listen(
      "if (messages > 1) throw new Error('no'); parentPort.postMessage(new Uint8Array((input.length / size) * answer))"
    ),
    "without memory": listen("const all = []; for (;;) all.push(new Array(1e5).fill(messages))"),
    "that answers too little": listen("parentPort.postMessage(new Uint8Array(7))")
  }))
    it.effect(`loses nothing with one ${what}`, () =>
      Effect.gen(function* () {
        assert.isAbove(yield* isAnswered(program), count)
      })
    )

  it("keeps no program alive, and starts no thread where none is wanted", async () => {
    const at = (path: string) => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href)
    const script = `
      import { Effect, Layer, Redacted, Scope } from "effect"
      import * as NodeCrypto from ${at("adapters/node/NodeCrypto.ts")}
      import { Identity } from ${at("crypto/index.ts")}
      import { Crypto } from ${at("services/Crypto.ts")}
      const scope = Effect.runSync(Scope.make())
      for (const options of [{ workers: 0 }, { workers: 1 }]) {
        const context = await Effect.runPromise(Layer.buildWithScope(NodeCrypto.layerWith(options), scope))
        const found = await Effect.runPromise(Effect.provideContext(Effect.gen(function* () {
          const { key } = yield* Identity.fromSeed(Redacted.make(new Uint8Array(32)))
          const { apart } = yield* Crypto
          return apart && (yield* apart.verify(key, new Uint8Array(64), new Uint8Array(64)))
        }), context))
        console.log(options.workers, found)
      }`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--conditions=kez-source", "--input-type=module", "--eval", script],
      { cwd: import.meta.dirname, timeout: 30_000 }
    )
    assert.strictEqual(stdout, "0 undefined\n1 false\n")
  })
})
