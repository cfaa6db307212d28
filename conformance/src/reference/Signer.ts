/** Throw-away keys for the checks of servers: the SDK signs whatever a check wants signed, right or wrong. */
import { ed25519ph } from "@noble/curves/ed25519.js"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { SignedEnvelope } from "@kez-chat/sdk/crypto"
import { Blake3, Bytes, Canonical, type Json, Nkey, PrimaryKey } from "@kez-chat/sdk/protocol"
import { Crypto } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createHash, createPrivateKey, randomBytes, sign as signBytes } from "node:crypto"
import { possibleLinks } from "../probe/Links.ts"
import type { Envelope, Signing } from "../servers/Signing.ts"

const run = <A>(effect: Effect.Effect<A, never, Crypto>): A => Effect.runSync(Effect.provide(effect, NodeCrypto.layer))

/** Members that are undefined are left out, as in JSON. */
const plain = (value: unknown): Json.JsonObject => JSON.parse(JSON.stringify(value)) as Json.JsonObject

const canonical = (value: unknown): string => Canonical.encodeText(plain(value))

/** What precedes a seed in PKCS #8. */
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex")

const ed25519 = (bytes: Uint8Array, seed: Uint8Array): Uint8Array =>
  signBytes(null, bytes, createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: "der", type: "pkcs8" }))

/** Other ways to sign canonical bytes, which a server of KEZ may turn out to expect. */
const otherRules: Readonly<Record<string, (bytes: Uint8Array, seed: Uint8Array) => Uint8Array>> = {
  "Ed25519 over the bytes themselves": ed25519,
  "Ed25519 over SHA-256": (bytes, seed) => ed25519(createHash("sha256").update(bytes).digest(), seed),
  Ed25519ph: (bytes, seed) => ed25519ph.sign(bytes, seed)
}

export const signing: Signing = {
  makeSigner: () => {
    const seed = new Uint8Array(randomBytes(32))
    return run(
      Crypto.use((crypto) =>
        Effect.map(crypto.importSeed(Redacted.make(Uint8Array.from(seed))), (secret) => {
          const primary = PrimaryKey.format(secret.publicKey)
          return {
            hex: secret.publicKey.hex,
            primary,
            nkey: Nkey.fromKey(secret.publicKey),
            signBytes: (bytes) => crypto.signSync(secret, bytes),
            sign: (kez, payload, rule = "") => {
              const text = canonical(payload)
              const signature = run(SignedEnvelope.signText(crypto, secret, text))
              const other = otherRules[rule]?.(Buffer.from(text), seed)
              const sig = other === undefined ? signature.sig : Bytes.toHex(other)
              return { kez, payload: plain(payload) as Envelope["payload"], signature: { ...signature, sig } }
            }
          }
        })
      )
    )
  },
  canonical,
  hash: (envelope) => `sha256:${createHash("sha256").update(canonical(envelope)).digest("hex")}`,
  rules: ["Ed25519 over SHA-512", ...Object.keys(otherRules)],
  links: (envelope) => {
    const [first, ...rest] = possibleLinks({ text: JSON.stringify(envelope), value: plain(envelope) })
    return [first!, ...rest]
  },
  nkey: Nkey.encode,
  blake3: (bytes) => Bytes.toHex(Blake3.hash(bytes))
}
