import { Context, Effect, Layer, Scope } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { KezChat } from "@kez-chat/sdk"
import { makeWorld, newDevice, newWords } from "./kit/People.ts"

describe("KezChat.layer", () => {
  it.live("gives every account of a program rooms of its own", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const memo = Layer.makeMemoMapUnsafe()
      const scope = yield* Scope.Scope
      const open = Effect.map(
        Effect.suspend(() =>
          Layer.buildWithMemoMap(KezChat.layer().pipe(Layer.provide(world.servicesOf(newDevice()))), memo, scope)
        ),
        (services) => Context.get(services, KezChat)
      )
      const one = yield* open
      const other = yield* open
      yield* one.create({ handle: "alice", words: newWords() })
      assert.strictEqual((yield* Effect.flip(other.account))._tag, "NoAccount")
      yield* other.create({ handle: "bob", words: newWords() })
      yield* one.addContact("bob")
      assert.deepStrictEqual(yield* other.contacts, [])
    })
  )
})
