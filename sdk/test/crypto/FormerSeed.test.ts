/** Seeds of former keys, sealed to the next one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Identity } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import * as FormerSeed from "../../src/crypto/FormerSeed.ts"

describe("a former seed", () => {
  it.effect("opens with the key it was sealed to, and is refused where it is another key's than it is said to be", () =>
    Effect.gen(function* () {
      const seeds = [1, 2, 3].map((byte) => Redacted.make(new Uint8Array(32).fill(byte)))
      const [of, holder, stranger] = yield* Effect.forEach(seeds, Identity.fromSeed)
      const sealed = yield* FormerSeed.seal(seeds[0]!, of!.key, holder!.key)
      assert.deepStrictEqual(
        Redacted.value(yield* FormerSeed.open(holder!, of!.key, sealed)),
        Redacted.value(seeds[0]!)
      )
      // Anybody can seal to a key, under any name.
      const forged = yield* FormerSeed.seal(seeds[2]!, of!.key, holder!.key)
      for (const [who, what] of [
        [holder!, forged],
        [stranger!, sealed]
      ] as const) {
        const { code } = yield* Effect.flip(FormerSeed.open(who, of!.key, what))
        assert.strictEqual(code, "content_key_invalid")
      }
    }).pipe(Effect.provide(NodeCrypto.layer))
  )
})
