import { Effect, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { impostor } from "../kit/Liar.ts"
import { join, makeWorld, twoFriends } from "../kit/People.ts"

describe("drafts", () => {
  it.live("are kept until they are replaced or emptied, and told to listeners", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      assert.strictEqual(yield* alice.chat.draft("bob"), "")
      yield* alice.chat.setDraft("bob", "dear bob")
      yield* alice.chat.setDraft("bob", "dear bob")
      yield* alice.chat.send("bob", "dear bob")
      const changed = (text: string) => alice.program.event("Draft", (event) => event.text === text)
      assert.strictEqual((yield* changed("dear bob")).peer, bob.account.primary)
      yield* alice.chat.setDraft("bob", "dearest")
      yield* changed("dearest")
      assert.lengthOf(
        alice.program.events.filter(({ _tag }) => _tag === "Draft"),
        2
      )
      yield* alice.program.close
      const again = yield* world.start(alice.device)
      assert.strictEqual(yield* again.chat.draft("bob"), "dearest")
      yield* again.chat.setDraft("bob", " ")
      yield* again.event("Draft", ({ text }) => text === "")
      assert.strictEqual(yield* again.chat.draft("bob"), "")
    })
  )

  it.live("may be notes to self, are as long as messages, and are for contacts only", () =>
    Effect.gen(function* () {
      const { chat } = yield* join(makeWorld(), "alice")
      yield* chat.setDraft("alice", "milk")
      assert.strictEqual((yield* chat.conversations)[0]?.draft, "milk")
      const long = yield* Effect.flip(chat.setDraft("alice", "x".repeat(41_000)))
      assert.strictEqual(long._tag === "Problem" ? long.code : long._tag, "message_too_large")
      assert.strictEqual(yield* chat.draft("alice"), "milk")
      assert.strictEqual((yield* Effect.flip(chat.setDraft("bob", "hi")))._tag, "ContactUnknown")
    })
  )

  it.live("stay with a contact that changes its key, and go with a removed one", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.setDraft("bob", "dear")
      const mallory = yield* impostor(world, "bob", 140)
      mallory.takesOver()
      yield* alice.chat.refreshContact("bob")
      yield* alice.chat.acceptKey("bob", mallory.primary)
      assert.strictEqual(yield* alice.chat.draft("bob"), "dear")
      const [line] = yield* alice.chat.conversations
      assert.deepInclude(line, { peer: mallory.primary, draft: "dear" })
      yield* alice.chat.setDraft("alice", "milk")
      const exported = (yield* Stream.runCollect(alice.chat.export)).filter(({ kind }) => kind === "draft")
      assert.sameDeepMembers(exported, [
        { kind: "draft", peer: bob.account.primary, text: "dear" },
        { kind: "draft", peer: alice.account.primary, text: "milk" }
      ])
      yield* alice.chat.removeContact("bob")
      yield* alice.chat.addContact("bob")
      assert.strictEqual(yield* alice.chat.draft("bob"), "")
    })
  )
})
