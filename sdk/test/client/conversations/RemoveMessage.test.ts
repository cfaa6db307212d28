import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { impostor } from "../kit/Liar.ts"
import { makeWorld, twoFriends } from "../kit/People.ts"

describe("removeMessage", () => {
  it.live("removes what failed from this device for good, and nothing else", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const sent = yield* alice.chat.send("bob", "sent")
      yield* alice.program.event("State", ({ message }) => message.id === sent.id && message.state === "delivered")
      const mallory = yield* impostor(world, "bob", 140)
      mallory.takesOver()
      yield* alice.chat.refreshContact("bob")
      yield* alice.chat.keepKey("bob")
      const failed = yield* alice.chat.send("bob", "to the old key")
      yield* alice.chat.acceptKey("bob", mallory.primary)
      yield* alice.program.event("State", ({ message }) => message.id === failed.id && message.state === "failed")

      assert.isFalse(yield* alice.chat.removeMessage(sent.id))
      assert.isFalse(yield* alice.chat.removeMessage("AAAAAAAAAAAAAAAAAAAAAA"))
      assert.isTrue(yield* alice.chat.removeMessage(failed.id))
      const removed = yield* alice.program.event("MessageRemoved")
      assert.deepInclude(removed.message, { id: failed.id, order: failed.order, peer: bob.account.primary })
      assert.isFalse(yield* alice.chat.removeMessage(failed.id))
      const texts = Effect.map(alice.chat.history("bob"), (messages) => messages.map(({ text }) => text))
      assert.deepStrictEqual(yield* texts, ["sent"])
      yield* alice.program.close
      const again = yield* world.start(alice.device)
      yield* again.chat.sync
      assert.deepStrictEqual(
        (yield* again.chat.history("bob")).map(({ text }) => text),
        ["sent"]
      )
    })
  )
})
