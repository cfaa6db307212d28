/** Throw-away keys for the checks of servers: the SDK signs whatever a check wants signed, right or wrong. */
import { NodeCrypto } from "@kez-chat/sdk/node"
import { SignedEnvelope } from "@kez-chat/sdk/crypto"
import { Blake3, Bytes, Canonical, type Json, PrimaryKey } from "@kez-chat/sdk/protocol"
import { Crypto } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createHash, randomBytes } from "node:crypto"
import type { Envelope, Signing } from "../servers/Signing.ts"

const run = <A>(effect: Effect.Effect<A, never, Crypto>): A => Effect.runSync(Effect.provide(effect, NodeCrypto.layer))

/** Members that are undefined are left out, as in JSON. */
const plain = (value: unknown): Json.JsonObject => JSON.parse(JSON.stringify(value)) as Json.JsonObject

const canonical = (value: unknown): string => Canonical.encodeText(plain(value))

export const signing: Signing = {
  makeSigner: () =>
    run(
      Crypto.use((crypto) =>
        Effect.map(crypto.importSeed(Redacted.make(new Uint8Array(randomBytes(32)))), (secret) => {
          const primary = PrimaryKey.format(secret.publicKey)
          return {
            hex: secret.publicKey.hex,
            primary,
            sign: (kez, payload) => {
              const signature = run(SignedEnvelope.signText(crypto, secret, canonical(payload)))
              return { kez, payload: plain(payload) as Envelope["payload"], signature }
            }
          }
        })
      )
    ),
  canonical,
  hash: (envelope) => `sha256:${createHash("sha256").update(canonical(envelope)).digest("hex")}`,
  blake3: (bytes) => Bytes.toHex(Blake3.hash(bytes))
}
