/**
 * One message from body to frame and back, against the sum of the node:crypto primitives that it cannot do without.
 *
 * Both sides run in turns in one process, on the same key objects and sizes, so only their ratio means something.
 */
import * as NodeApi from "node:crypto"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Identity, SealedMessage } from "@kez-chat/sdk/crypto"
import { median, report } from "./Report.ts"

const rounds = 40
const perRound = 100

const runtime = ManagedRuntime.make(NodeCrypto.layer)
const identity = (fill: number) => runtime.runPromise(Identity.fromSeed(Redacted.make(new Uint8Array(32).fill(fill))))
const alice = await identity(1)
const bob = await identity(2)

const id = "AAAAAAAAAAAAAAAAAAAAAA"
const draft = {
  id,
  device: id,
  to: bob.key,
  seq: 7,
  createdAt: Date.now(),
  body: {
    type: "text" as const,
    text: "Shall we meet at the station at nine? ".repeat(8),
    chain: { seq: 3, hash: `sha256:${"0".repeat(64)}` }
  }
}
const out = Effect.flatMap(SealedMessage.encrypt(alice, draft), ({ encoded }) =>
  SealedMessage.sealFrame(encoded, bob.key)
)
const frame = await runtime.runPromise(out)
const { encoded } = await runtime.runPromise(SealedMessage.encrypt(alice, draft))

// The primitives, on inputs of the same size.
const ed = NodeApi.generateKeyPairSync("ed25519")
const own = NodeApi.generateKeyPairSync("x25519")
const peer = NodeApi.generateKeyPairSync("x25519")
const key = NodeApi.randomBytes(32)
const nonce = NodeApi.randomBytes(12)
const small = NodeApi.randomBytes(400)
const agree = () => NodeApi.diffieHellman({ privateKey: own.privateKey, publicKey: peer.publicKey })
const hkdf = (length: number) => NodeApi.hkdfSync("sha256", key, key, small.subarray(0, 80), length)
const sealAead = (bytes: Uint8Array) => {
  const cipher = NodeApi.createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 })
  cipher.setAAD(small.subarray(0, 33), { plaintextLength: bytes.length })
  const body = cipher.update(bytes)
  cipher.final()
  return { body, tag: cipher.getAuthTag() }
}
const openAead = ({ body, tag }: { body: Uint8Array; tag: Uint8Array }) => {
  const decipher = NodeApi.createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 })
  decipher.setAAD(small.subarray(0, 33), { plaintextLength: body.length })
  decipher.setAuthTag(tag)
  decipher.update(body)
  decipher.final()
}
const sealedSmall = sealAead(small)
const sealedEncoded = sealAead(encoded)
const digest = NodeApi.hash("sha512", encoded, "buffer")
const signature = NodeApi.sign(null, digest, ed.privateKey)

/**
 * encrypt: salt, agree, HKDF, AEAD; sign: SHA-512, Ed25519; link: SHA-256; seal: an ephemeral pair and its public bytes,
 * agree, key schedule, AEAD.
 */
const primitivesOut = () => {
  NodeApi.randomBytes(32)
  agree()
  hkdf(44)
  sealAead(small)
  NodeApi.sign(null, NodeApi.hash("sha512", encoded, "buffer"), ed.privateKey)
  NodeApi.hash("sha256", encoded, "buffer")
  const ephemeral = NodeApi.generateKeyPairSync("x25519")
  ephemeral.publicKey.export({ format: "jwk" })
  NodeApi.diffieHellman({ privateKey: ephemeral.privateKey, publicKey: peer.publicKey })
  hkdf(32)
  hkdf(44)
  sealAead(encoded)
}
/** open: import of the ephemeral key, agree, key schedule, AEAD; verify: SHA-512, Ed25519; decrypt: agree, HKDF, AEAD; link: SHA-256. */
const raw = peer.publicKey.export({ format: "jwk" })
const primitivesIn = () => {
  const enc = NodeApi.createPublicKey({ key: raw, format: "jwk" })
  NodeApi.diffieHellman({ privateKey: own.privateKey, publicKey: enc })
  hkdf(32)
  hkdf(44)
  openAead(sealedEncoded)
  NodeApi.verify(null, NodeApi.hash("sha512", encoded, "buffer"), ed.publicKey, signature)
  agree()
  hkdf(44)
  openAead(sealedSmall)
  NodeApi.hash("sha256", encoded, "buffer")
}

const microseconds = async (run: () => void | Promise<void>): Promise<number> => {
  const start = process.hrtime.bigint()
  await run()
  return Number(process.hrtime.bigint() - start) / 1000 / perRound
}
const ours = (effect: typeof out | ReturnType<typeof SealedMessage.openFrame>) => () =>
  runtime.runPromise(
    Effect.gen(function* () {
      for (let i = 0; i < perRound; i++) yield* effect
    })
  )
const loop = (run: () => void) => () => {
  for (let i = 0; i < perRound; i++) run()
}

const times = {
  out: [] as Array<number>,
  outBase: [] as Array<number>,
  in: [] as Array<number>,
  inBase: [] as Array<number>
}
const incoming = SealedMessage.openFrame(bob, frame)
for (let round = -5; round < rounds; round++) {
  const sample = {
    out: await microseconds(ours(out)),
    outBase: await microseconds(loop(primitivesOut)),
    in: await microseconds(ours(incoming)),
    inBase: await microseconds(loop(primitivesIn))
  }
  if (round < 0) continue
  for (const name of ["out", "outBase", "in", "inBase"] as const) times[name].push(sample[name])
}
await runtime.dispose()

report(
  "message: body to frame and back (300-byte text)",
  [
    {
      name: "encrypt + sign + seal",
      value: median(times.outBase) / median(times.out),
      unit: "x",
      against: `its node:crypto primitives (${median(times.outBase).toFixed(0)} of ${median(times.out).toFixed(0)} us)`,
      aim: { atLeast: 0.9 }
    },
    {
      name: "open + verify + decrypt",
      value: median(times.inBase) / median(times.in),
      unit: "x",
      against: `its node:crypto primitives (${median(times.inBase).toFixed(0)} of ${median(times.in).toFixed(0)} us)`,
      aim: { atLeast: 1 }
    }
  ],
  [
    "the baseline agrees with the peer for every message, as a first one must; we do once for a peer",
    "node looks for the kind of each key with exceptions: NodeCrypto takes their stack traces away, the baseline has them"
  ]
)
