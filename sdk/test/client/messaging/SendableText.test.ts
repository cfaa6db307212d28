/** Names, ids and texts that are empty, and texts that are too long. */
import { Effect, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { openNode } from "@kez-chat/sdk/node"
import { codeOf, makeWorld, twoFriends } from "../kit/People.ts"

const blanks = ["", " ", "\u200b\u2060", "\t\n"]

describe("empty names, ids and texts", () => {
  it.live("KEZ-DM-036: are refused by every call, with a sentence, and change nothing", () =>
    Effect.gen(function* () {
      const { alice } = yield* twoFriends(makeWorld())
      const { chat } = alice
      const bytes = (async function* () {})()
      for (const blank of blanks) {
        const calls: Record<string, Effect.Effect<unknown, unknown>> = {
          handle_malformed: chat.addContact(blank),
          message_malformed: chat.send("bob", blank),
          request_malformed: chat.share({ file: { name: blank, bytes }, with: ["bob"] })
        }
        for (const [code, call] of Object.entries(calls)) {
          assert.strictEqual(codeOf(yield* Effect.flip(call)), code)
        }
        for (const call of [
          chat.contact(blank),
          chat.refreshContact(blank),
          chat.verification(blank),
          chat.confirmKey(blank, alice.account.primary),
          chat.unconfirmKey(blank),
          chat.acceptKey(blank, alice.account.primary),
          chat.keepKey(blank),
          chat.accept(blank),
          chat.block(blank),
          chat.unblock(blank),
          chat.removeContact(blank, true),
          chat.send(blank, "hi"),
          chat.history(blank),
          chat.markRead(blank),
          chat.browse(blank),
          chat.share({ file: { name: "a", bytes }, with: [blank] })
        ] as ReadonlyArray<Effect.Effect<unknown, unknown>>) {
          const error = yield* Effect.flip(call)
          assert.strictEqual(codeOf(error), "ContactUnknown")
          assert.include((error as Error).message, "an empty name is no contact")
        }
        for (const call of [
          chat.unshare(blank),
          Stream.runDrain(chat.fetch(blank)),
          Stream.runDrain(chat.read(blank)),
          chat.discard(blank)
        ] as ReadonlyArray<Effect.Effect<unknown, unknown>>) {
          const error = yield* Effect.flip(call)
          assert.strictEqual(codeOf(error), "file_not_found")
          assert.include((error as Error).message, "an empty")
        }
      }
      assert.deepStrictEqual(yield* chat.history("bob"), [])
      assert.deepStrictEqual(yield* chat.shared, [])
    })
  )

  it("name no folder for an account", async () => {
    for (const dir of blanks) {
      const error = await openNode({ home: "http://localhost:1", dir, passphrase: "correct horse" }).catch(
        (error: unknown) => error
      )
      assert.deepInclude(error as object, { _tag: "StoreError", reason: "io" })
    }
  })
})

describe("a text that is too long", () => {
  for (const [what, character] of [
    ["letters", "x"],
    ["accents", "e\u0301"],
    ["emoji", "👩‍👩‍👧‍👦"],
    ["quotes", '"']
  ] as const) {
    it.live(`is measured in characters: ${what}`, () =>
      Effect.gen(function* () {
        const { alice } = yield* twoFriends(makeWorld())
        const text = character.repeat(45_000)
        const error = yield* Effect.flip(alice.chat.send("bob", text))
        assert.strictEqual(codeOf(error), "message_too_large")
        const [, characters, excess] = /it has (\d+) characters, (\d+) too many/.exec((error as Error).message) ?? []
        assert.strictEqual(Number(characters), 45_000)
        const fitting = 45_000 - Number(excess)
        assert.strictEqual(
          codeOf(yield* Effect.flip(alice.chat.send("bob", character.repeat(fitting + 1)))),
          "message_too_large"
        )
        const sent = yield* alice.chat.send("bob", character.repeat(fitting))
        assert.strictEqual(sent.state, "queued")
      })
    )
  }
})
