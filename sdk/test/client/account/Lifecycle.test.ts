import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { LocalStore, StoreError } from "@kez-chat/sdk/services"
import { codeOf, eventually, join, keyOf, makeWorld, newDevice } from "../kit/People.ts"

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

describe("a refused login", () => {
  it.live("KEZ-REG-053 is explained by the home server where the account is suspended", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { account, program } = yield* join(world, "alice")
      const { chat } = program
      const reasons: Array<string> = []
      yield* Effect.forkScoped(
        Stream.runForEach(chat.connection, (state) =>
          Effect.sync(() => reasons.push(state._tag === "Offline" ? state.error.reason : state._tag))
        )
      )
      yield* eventually(() => reasons.at(-1) === "Online")
      world.home.suspended.add("alice")
      world.broker.setAuthorized(keyOf(account.primary), false)
      yield* eventually(() => reasons.at(-1) === "suspended")
      assert.strictEqual(reasons.at(-2), "unauthorized")
      const error = yield* Effect.flip(chat.inbox)
      assert.deepInclude(error, { _tag: "BrokerUnavailable", reason: "suspended" })

      world.home.suspended.delete("alice")
      world.broker.setAuthorized(keyOf(account.primary), true)
      yield* eventually(() => reasons.at(-1) === "Online")
      // The home server names the account, or does not answer: nothing is said beyond the refusal.
      world.home.unreachable.add("byPrimary")
      world.broker.setAuthorized(keyOf(account.primary), false)
      yield* eventually(() => reasons.at(-1) === "unauthorized")
      world.broker.setAuthorized(keyOf(account.primary), true)
      yield* eventually(() => reasons.at(-1) === "Online")
      assert.strictEqual(reasons.filter((reason) => reason === "suspended").length, 1)
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
