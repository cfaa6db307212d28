/** A store that was put where another account's belongs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { StoreError } from "@kez-chat/sdk/services"
import { join, makeWorld } from "../kit/People.ts"

const foreign = (error: unknown): StoreError => {
  assert.instanceOf(error, StoreError)
  assert.strictEqual((error as StoreError).reason, "foreign")
  return error as StoreError
}

describe("the store of another account", () => {
  it.live("is named, with what to do, and nothing of it is shown once the key was used", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const bob = yield* join(world, "bob")
      yield* alice.chat.addContact("bob")
      yield* alice.program.close
      yield* bob.program.close
      const before = yield* alice.device.store.scan({ prefix: "" })
      const mixed = yield* world.start({ ...bob.device, store: alice.device.store })
      const error = foreign(yield* Effect.flip(mixed.chat.send("bob", "hello")))
      for (const said of ["alice@", alice.account.primary, bob.account.primary, "put the store of this account back"]) {
        assert.include(error.message, said)
      }
      const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        mixed.chat.account,
        mixed.chat.contacts,
        mixed.chat.history("bob"),
        mixed.chat.sync
      ]
      for (const call of calls) foreign(yield* Effect.flip(call))
      yield* mixed.close
      assert.deepStrictEqual(yield* alice.device.store.scan({ prefix: "" }), before)
      // Both accounts are whole again when each has its own.
      const again = yield* world.start(alice.device)
      assert.strictEqual((yield* again.chat.contacts).length, 1)
    })
  )

  it.live("is refused before it is read where the account is known", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const bob = yield* join(world, "bob")
      yield* alice.program.close
      foreign(yield* Effect.flip(world.start(alice.device, { primary: bob.account.primary })))
      const again = yield* world.start(alice.device, { primary: alice.account.primary })
      assert.deepStrictEqual(yield* again.chat.account, alice.account)
    })
  )
})
