import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { codeOf, join, makeWorld, newDevice, newWords } from "../kit/People.ts"

describe("restoring", () => {
  it.live("finds the handle by the key, and takes the chain as it is", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { account, words } = yield* join(world, "alice")
      const { chat } = yield* world.start(newDevice())
      const restored = yield* chat.restore({ words })
      assert.deepInclude(restored, { handle: "alice@home.test", primary: account.primary, step: "published" })
      assert.strictEqual(world.home.chains.get(account.primary)!.length, 2)
      assert.strictEqual(Redacted.value(yield* chat.words), Redacted.value(words))
    })
  )

  it.live("gives a chain without an inbox its endpoint", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { account, words } = yield* join(world, "alice")
      world.home.chains.delete(account.primary)
      const { chat } = yield* world.start(newDevice())
      assert.strictEqual((yield* chat.restore({ words })).step, "published")
      assert.strictEqual(world.home.chains.get(account.primary)!.length, 2)
    })
  )

  it.live("says when no handle goes with the words, keeping nothing", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const device = newDevice()
      const { chat } = yield* world.start(device)
      assert.strictEqual(codeOf(yield* Effect.flip(chat.restore({ words: newWords() }))), "handle_not_found")
      assert.strictEqual(
        codeOf(yield* Effect.flip(chat.restore({ words: Redacted.make("not words") }))),
        "mnemonic_invalid"
      )
      assert.isTrue(Option.isNone(yield* device.vault.load))
    })
  )

  it.live("refuses a record that is not about this key", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { account } = yield* join(world, "mallory")
      const { chat, words } = yield* join(world, "alice")
      const primary = (yield* chat.account).primary
      world.home.records.set("alice", { ...world.home.records.get("mallory")!, handle: "alice@home.test" })
      const fresh = yield* world.start(newDevice())
      assert.include(["handle_not_found", "record_invalid"], codeOf(yield* Effect.flip(fresh.chat.restore({ words }))))
      world.home.records.set("alice", { ...world.home.records.get("alice")!, primary })
      assert.strictEqual(codeOf(yield* Effect.flip(fresh.chat.restore({ words }))), "record_invalid")
      assert.notStrictEqual(account.primary, primary)
    })
  )
})
