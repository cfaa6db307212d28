import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { makeWorld, twoFriends } from "../kit/People.ts"

describe("two people", () => {
  it.live("send and receive, and see how far their messages got", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      const sent = yield* alice.chat.send("bob", "hello")
      assert.strictEqual(sent.state, "queued")
      const { contact, message } = yield* bob.program.event("Message")
      assert.strictEqual(message.text, "hello")
      assert.strictEqual(message.direction, "in")
      assert.strictEqual(contact.handle, "alice@home.test")
      yield* alice.program.event("State", ({ message }) => message.state === "stored")
      yield* alice.program.event("State", ({ message }) => message.state === "delivered")
      const [kept] = yield* alice.chat.history("bob")
      assert.strictEqual(kept!.state, "delivered")
    })
  )
})
