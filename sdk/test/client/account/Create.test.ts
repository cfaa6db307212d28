import { Effect, Layer, Option, Redacted, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { Mnemonic, Problem } from "@kez-chat/sdk/protocol"
import { Directory, LocalStore, SigchainStore, StoreError } from "@kez-chat/sdk/services"
import { join, makeWorld, newDevice, newWords } from "../kit/People.ts"

const codeOf = (error: unknown) => (error instanceof Problem.Problem ? error.code : (error as { _tag: string })._tag)

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

describe("a sig-server", () => {
  it.live("that takes events and never shows them ends creation with a problem", () =>
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
})

describe("a store that fails while everything is set going", () => {
  for (const failing of ["position", "out/", "talk/"]) {
    it.live(`at ${failing} is tried again by the next call`, () =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { account, device, program } = yield* join(world, "alice")
        yield* program.close
        let fails = true
        let failed = () => {}
        const tried = new Promise<void>((resolve) => (failed = resolve))
        const perhaps = <A>(name: string, effect: Effect.Effect<A, StoreError>) =>
          Effect.suspend(() => {
            if (!fails || name !== failing) return effect
            failed()
            return Effect.fail(new StoreError({ reason: "locked", detail: "busy" }))
          })
        const store = LocalStore.of({
          ...device.store,
          get: (key) => perhaps(key, device.store.get(key)),
          scan: (range) => perhaps(range.prefix, device.store.scan(range))
        })
        const { chat } = yield* world.start({ ...device, store })
        yield* Effect.promise(() => tried)
        fails = false
        yield* chat.send(account.handle, "note")
        yield* chat.sync
        yield* chat.flush
        assert.strictEqual((yield* chat.history(account.handle))[0]!.state, "stored")
      })
    )
  }
})

describe("before there is an account", () => {
  it.live("everything answers NoAccount", () =>
    Effect.gen(function* () {
      const { chat } = yield* makeWorld().start(newDevice())
      const calls = [
        chat.account,
        chat.words,
        chat.sync,
        chat.flush,
        chat.send("bob", "x"),
        chat.history("bob"),
        chat.contact("bob")
      ]
      for (const call of calls)
        assert.strictEqual(codeOf(yield* Effect.flip(call as Effect.Effect<unknown, unknown>)), "NoAccount")
      assert.deepStrictEqual(yield* chat.contacts, [])
    })
  )
})

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
})

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
})

describe("deleting at a home that was set up anew", () => {
  it.live("leaves nothing here either", () =>
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

describe("the store", () => {
  it.live("of a later layout is not touched", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const device = newDevice()
      yield* device.store.commit([{ op: "put", key: "version", value: new TextEncoder().encode("99") }])
      const error = yield* Effect.flip(world.start(device))
      assert.deepInclude(error, { _tag: "StoreError", reason: "newer" })
    })
  )

  it.live("with a damaged entry gives a typed error that names it", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { chat, device } = yield* join(world, "alice")
      const sent = yield* chat.send("alice", "note")
      const [entry] = yield* device.store.scan({ prefix: "message/" })
      yield* device.store.commit([{ op: "put", key: entry!.key, value: Uint8Array.of(123) }])
      const error = yield* Effect.flip(chat.history("alice"))
      assert.deepInclude(error, { _tag: "StoreError", reason: "damaged" })
      assert.include(error.message, entry!.key)
      assert.isAbove(sent.order, 0)
    })
  )
})

describe("offline by option", () => {
  it.live("shows what is kept, queues what is sent, and touches no network", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const bob = yield* join(world, "bob")
      yield* bob.program.close
      const alice = yield* join(world, "alice")
      yield* alice.chat.addContact("bob")
      yield* alice.program.close
      const calls = new Map(world.home.calls)
      const fetches = world.broker.fetches()
      const { chat } = yield* world.start(alice.device, { offline: true })
      assert.strictEqual((yield* chat.account).handle, "alice@home.test")
      assert.strictEqual((yield* chat.contacts).length, 1)
      assert.strictEqual((yield* chat.send("bob", "later")).state, "queued")
      assert.strictEqual((yield* chat.history("bob")).length, 1)
      assert.strictEqual(codeOf(yield* Effect.flip(chat.sync)), "BrokerUnavailable")
      assert.deepStrictEqual(world.home.calls, calls)
      assert.strictEqual(world.broker.fetches(), fetches)
    })
  )
})
