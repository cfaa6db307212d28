import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { SealedManifest } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Crypto } from "@kez-chat/sdk/services"

describe("an id", () => {
  it.effect("KEZ-DM-035: that begins with a dash is drawn again: people type ids in command lines", () =>
    Effect.gen(function* () {
      const crypto = yield* Crypto
      // 0xf8 to 0xfb begin with `-` in base64url.
      const firsts = [0xf8, 0xf9, 0xfa, 0xfb, 0xfc]
      const drawn = (length: number) =>
        Effect.sync(() => {
          const bytes = new Uint8Array(length)
          bytes[0] = firsts.shift()!
          return bytes
        })
      const id = yield* Effect.provideService(SealedManifest.makeId, Crypto, { ...crypto, randomBytes: drawn })
      assert.strictEqual(id, `_${"A".repeat(21)}`)
      assert.deepStrictEqual(firsts, [])
    }).pipe(Effect.provide(NodeCrypto.layer))
  )

  it.effect("has 22 characters, and another one each time", () =>
    Effect.gen(function* () {
      const ids = yield* Effect.forEach(Array.from({ length: 1_000 }), () => SealedManifest.makeId)
      assert.strictEqual(new Set(ids).size, 1_000)
      for (const id of ids) assert.match(id, /^[A-Za-z0-9_][A-Za-z0-9_-]{20}[AQgw]$/)
    }).pipe(Effect.provide(NodeCrypto.layer))
  )
})
