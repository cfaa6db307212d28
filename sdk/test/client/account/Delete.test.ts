import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { Problem } from "@kez-chat/sdk/protocol"
import { Directory } from "@kez-chat/sdk/services"
import { codeOf, join, makeWorld, newWords } from "../kit/People.ts"

describe("deleting", () => {
  it.live("burns the handle and leaves nothing here", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { chat, device, words } = yield* join(world, "alice")
      yield* chat.send("alice", "note")
      yield* chat.flush
      yield* chat.deleteAccount
      assert.deepStrictEqual(
        (yield* device.store.scan({ prefix: "" })).map(({ key }) => key),
        ["version"]
      )
      assert.isTrue(Option.isNone(yield* device.vault.load))
      assert.strictEqual(codeOf(yield* Effect.flip(chat.account)), "NoAccount")
      assert.strictEqual(codeOf(yield* Effect.flip(chat.restore({ words }))), "handle_deleted")
      assert.strictEqual(codeOf(yield* Effect.flip(chat.create({ handle: "alice", words }))), "handle_deleted")
      yield* chat.create({ handle: "alice2", words: newWords() })
    })
  )

  it.live("goes on after its answer was lost", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { chat, device } = yield* join(world, "alice")
      world.home.loseAnswer.set("delete", 1)
      assert.strictEqual(codeOf(yield* Effect.flip(chat.deleteAccount)), "ServerUnreachable")
      assert.strictEqual((yield* chat.account).handle, "alice@home.test")
      yield* chat.deleteAccount
      assert.deepStrictEqual(
        (yield* device.store.scan({ prefix: "" })).map(({ key }) => key),
        ["version"]
      )
    })
  )

  it.live("leaves nothing here either at a home server that was set up anew", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const forgetful = Layer.effect(
        Directory,
        Effect.map(Directory, (inner) =>
          Directory.of({
            ...inner,
            delete: () => Effect.fail(new Problem.Problem({ code: "handle_not_found", detail: "nobody" }))
          })
        )
      ).pipe(Layer.provide(world.home.layer))
      const { account, device, program } = yield* join(world, "bob")
      yield* program.close
      const again = yield* world.start(device, {}, undefined, Layer.merge(world.home.layer, forgetful))
      assert.deepStrictEqual(yield* again.chat.account, account)
      yield* again.chat.deleteAccount
      assert.strictEqual(codeOf(yield* Effect.flip(again.chat.account)), "NoAccount")
    })
  )
})
