import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted, Result } from "effect"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { SigchainStore } from "@kez-chat/sdk/services"
import { codeOf, join, makeWorld, newDevice, newWords } from "../kit/People.ts"

describe("creating an account", () => {
  it.live("registers, publishes inbox and Iroh node in the chain, and says so (KEZ-SIG-114)", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { account, chat } = yield* join(world, "alice")
      assert.deepInclude(account, { handle: "alice@home.test", server: "home.test", step: "published" })
      assert.match(account.device, /^[A-Za-z0-9_-]{22}$/)
      assert.strictEqual(world.home.chains.get(account.primary)!.length, 2)
      const { endpoints, head } = yield* chat.verification("alice")
      assert.deepStrictEqual(
        endpoints.map(({ protocol }) => protocol),
        ["nats", "iroh"]
      )
      assert.strictEqual(head!.seq, 1)
    })
  )

  for (const step of ["wellKnown", "register", "fetch", "append"] as const) {
    for (const how of ["not reached", "answer lost"] as const) {
      it.live(`carries on after ${step} was ${how}`, () =>
        Effect.gen(function* () {
          const world = makeWorld()
          const words = newWords()
          const device = newDevice()
          const first = yield* world.start(device)
          if (how === "not reached") world.home.unreachable.add(step)
          else world.home.loseAnswer.set(step, 1)
          const error = yield* Effect.flip(first.chat.create({ handle: "alice", words }))
          assert.strictEqual(codeOf(error), "ServerUnreachable")
          yield* first.close
          world.home.unreachable.clear()
          const again = yield* world.start(device)
          const account = yield* again.chat.create({ handle: "alice", words })
          assert.strictEqual(account.step, "published")
          assert.strictEqual(world.home.chains.get(account.primary)!.length, 2)
          assert.deepStrictEqual([...world.home.records.keys()], ["alice"])
        })
      )
    }
  }

  it.live("carries on by itself at the next start, and then sends", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      yield* join(world, "bob")
      const device = newDevice()
      const words = newWords()
      const first = yield* world.start(device)
      world.home.unreachable.add("append")
      yield* Effect.flip(first.chat.create({ handle: "alice", words }))
      yield* first.chat.addContact("bob")
      const unfinished = yield* Effect.flip(first.chat.send("bob", "hello"))
      assert.strictEqual(codeOf(unfinished), "AccountUnfinished")
      yield* first.close
      world.home.unreachable.clear()
      const again = yield* world.start(device)
      yield* Effect.retry(again.chat.send("bob", "hello"), { while: (error) => error._tag === "AccountUnfinished" })
      assert.strictEqual((yield* again.chat.account).step, "published")
    })
  )

  it.live("called again changes nothing and keeps the device", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { account, chat, words } = yield* join(world, "alice")
      assert.deepStrictEqual(yield* chat.create({ handle: "alice", words }), account)
      assert.deepStrictEqual(yield* chat.restore({ words }), account)
      assert.strictEqual(world.home.chains.get(account.primary)!.length, 2)
    })
  )

  it.live("leaves nothing behind when the handle cannot be had, so that others may be tried", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      yield* join(world, "alice")
      const device = newDevice()
      const { chat } = yield* world.start(device)
      const words = newWords()
      assert.strictEqual(codeOf(yield* Effect.flip(chat.create({ handle: "alice", words }))), "handle_taken")
      assert.strictEqual(codeOf(yield* Effect.flip(chat.create({ handle: "admin", words }))), "handle_reserved")
      assert.strictEqual(codeOf(yield* Effect.flip(chat.create({ handle: "A", words }))), "handle_malformed")
      assert.strictEqual(codeOf(yield* Effect.flip(chat.create({ handle: "x@else.test", words }))), "handle_malformed")
      assert.strictEqual(codeOf(yield* Effect.flip(chat.create({ handle: "carol@else.test", words }))), "wrong_server")
      assert.strictEqual(codeOf(yield* Effect.flip(chat.account)), "NoAccount")
      assert.isTrue(Option.isNone(yield* device.vault.load))
      yield* chat.create({ handle: "alison", words: newWords() })
    })
  )

  it.live("uses an invite where the home asks for one, and leaves nothing behind without", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      world.home.invites = new Set(["k4x7"])
      const device = newDevice()
      const { chat } = yield* world.start(device)
      const words = newWords()
      assert.strictEqual(codeOf(yield* Effect.flip(chat.create({ handle: "alice", words }))), "invite_required")
      const wrong = chat.create({ handle: "alice", words, invite: "other" })
      assert.strictEqual(codeOf(yield* Effect.flip(wrong)), "invite_invalid")
      assert.isTrue(Option.isNone(yield* device.vault.load))
      yield* chat.create({ handle: "alice", words, invite: "k4x7" })
      assert.strictEqual(world.home.invites.size, 0)
    })
  )

  it.live("keeps the invite of a creation that was cut off", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      world.home.invites = new Set(["k4x7"])
      const device = newDevice()
      const first = yield* world.start(device)
      const words = newWords()
      world.home.unreachable.add("register")
      yield* Effect.flip(first.chat.create({ handle: "alice", words, invite: "k4x7" }))
      world.home.unreachable.clear()
      assert.strictEqual((yield* first.chat.create({ handle: "alice", words })).step, "published")
    })
  )

  it.live("says by how much the clock is wrong", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { chat } = yield* world.start(newDevice())
      world.home.skewMillis = 400_000
      const error = yield* Effect.flip(chat.create({ handle: "alice", words: newWords() }))
      assert.strictEqual(codeOf(error), "clock_skew")
      assert.include(error.message, "400 s behind")
    })
  )

  it.live("never overwrites another account's seed", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { chat, device } = yield* join(world, "alice")
      assert.strictEqual(codeOf(yield* Effect.flip(chat.create({ handle: "bob", words: newWords() }))), "AccountExists")
      assert.strictEqual(codeOf(yield* Effect.flip(chat.restore({ words: newWords() }))), "AccountExists")
      // Nor where only the vault knows of it.
      const { chat: other } = yield* world.start({ ...newDevice(), vault: device.vault })
      assert.strictEqual(
        codeOf(yield* Effect.flip(other.create({ handle: "bob", words: newWords() }))),
        "AccountExists"
      )
      assert.strictEqual(codeOf(yield* Effect.flip(other.account)), "NoAccount")
    })
  )

  it.live("ends with a problem where the sig-server accepts events and never shows them", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const forgetful = Layer.effect(
        SigchainStore,
        Effect.map(SigchainStore, (inner) => SigchainStore.of({ ...inner, fetch: () => Effect.succeed([]) }))
      ).pipe(Layer.provide(world.home.layer))
      const { chat } = yield* world.start(newDevice(), {}, undefined, Layer.merge(world.home.layer, forgetful))
      const words = newWords()
      assert.strictEqual(codeOf(yield* Effect.flip(chat.create({ handle: "alice", words }))), "unavailable")
      assert.strictEqual((yield* chat.account).step, "registered")
    })
  )

  it.live("takes KEZ's 12 words and shows the 24 of their seed", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const twelve = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
      const seed = Result.getOrThrow(Mnemonic.toSeed(twelve))
      const { chat } = yield* world.start(newDevice())
      yield* chat.create({ handle: "kezuser", words: Redacted.make(twelve) })
      const shown = Redacted.value(yield* chat.words)
      assert.strictEqual(shown.split(" ").length, 24)
      assert.deepStrictEqual(Result.getOrThrow(Mnemonic.toSeed(shown)), seed)
    })
  )
})
