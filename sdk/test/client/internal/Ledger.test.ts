import { Deferred, Effect, Exit, Fiber, Latch } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { MemoryLocalStore } from "@kez-chat/sdk/memory"
import { LocalStore, StoreConflict, StoreError, type Write } from "@kez-chat/sdk/services"
import * as Ledger from "../../../src/client/internal/Ledger.ts"
import { Draft, Order as Row } from "../../../src/client/internal/rows/index.ts"

const value = (next: number) => ({ next })

/** A ledger on a memory store that counts commits, can be told to fail, and whose disk can be held up. */
const setup = Effect.gen(function* () {
  const memory = MemoryLocalStore.make()
  const commits: Array<ReadonlyArray<Write>> = []
  const faults: { commit?: StoreError; sync?: StoreError } = {}
  const disk = { syncs: 0, ready: Latch.makeUnsafe(true) }
  const store = LocalStore.of({
    ...memory,
    commit: (writes) =>
      Effect.suspend(() => {
        const { commit } = faults
        delete faults.commit
        if (commit !== undefined) return Effect.fail(commit)
        commits.push(writes)
        return memory.commit(writes)
      }),
    sync: Effect.gen(function* () {
      disk.syncs += 1
      // Others have the time to queue up behind it, as they have behind a disk.
      yield* Effect.yieldNow
      yield* disk.ready.await
      const { sync } = faults
      delete faults.sync
      if (sync !== undefined) return yield* sync
    })
  })
  const ledger = yield* Effect.provideService(Ledger.make, LocalStore, store)
  const write = (key: string, options?: { readonly relaxed?: boolean }) =>
    ledger.transact((transaction) => Effect.sync(() => transaction.put(key, Row, value(1))), options)
  return { ledger, write, commits, memory, faults, disk }
})

describe("Ledger", () => {
  for (const first of ["its own", "another's, which waits for no disk,"]) {
    it.effect(`lets what is committed finish when its caller is interrupted in ${first} commit`, () =>
      Effect.gen(function* () {
        const memory = MemoryLocalStore.make()
        const gate = Latch.makeUnsafe(false)
        const begun = yield* Deferred.make<void>()
        const store = LocalStore.of({
          ...memory,
          commit: (writes) =>
            Effect.andThen(Effect.andThen(Deferred.succeed(begun, undefined), gate.await), memory.commit(writes))
        })
        const ledger = yield* Effect.provideService(Ledger.make, LocalStore, store)
        let told = false
        const other = ledger.transact(() => Effect.yieldNow, { relaxed: true })
        const write = ledger.transact((transaction) =>
          Effect.sync(() => {
            transaction.put("a", Row, value(1))
            transaction.onCommit(() => (told = true))
          })
        )
        const others = first === "its own" ? [] : [yield* Effect.forkChild(other), yield* Effect.forkChild(other)]
        const caller = yield* Effect.forkChild(write)
        yield* Deferred.await(begun)
        const interrupted = yield* Effect.forkChild(Fiber.interrupt(caller), { startImmediately: true })
        yield* gate.open
        yield* Fiber.join(interrupted)
        yield* Fiber.joinAll(others)
        assert.deepStrictEqual(yield* ledger.get("a", Row), value(1))
        assert.isTrue(told)
      })
    )
  }

  it.effect("has nobody work for others without end", () =>
    Effect.gen(function* () {
      const { ledger, write } = yield* setup
      let running = true
      // Each begins the next one while it runs: there is always one more that waits.
      const next = (n: number): Effect.Effect<void, unknown> =>
        ledger.transact((transaction) =>
          Effect.gen(function* () {
            transaction.put(`n${n % 10}`, Row, value(n))
            if (running) yield* Effect.forkDetach(next(n + 1), { startImmediately: true })
          })
        )
      yield* Effect.forkDetach(next(0), { startImmediately: true })
      yield* write("a")
      running = false
    })
  )

  it.effect("commits what a transaction staged, and shows it its own writes before", () =>
    Effect.gen(function* () {
      const { commits, ledger } = yield* setup
      const seen = yield* ledger.transact((transaction) =>
        Effect.gen(function* () {
          transaction.put("a", Row, value(1))
          transaction.put("b", Row, value(2))
          transaction.delete("b")
          const scanned = yield* transaction.scan({ prefix: "" })
          return [yield* transaction.get("a", Row), yield* transaction.has("b"), scanned.map(({ key }) => key)]
        })
      )
      assert.deepStrictEqual(seen, [value(1), false, ["a"]])
      assert.deepStrictEqual(yield* ledger.get("a", Row), value(1))
      assert.strictEqual(commits.length, 1)
    })
  )

  it.effect("keeps nothing of a transaction that fails, and neither do those beside it", () =>
    Effect.gen(function* () {
      const { ledger } = yield* setup
      const good = (key: string) =>
        ledger.transact((transaction) => Effect.sync(() => transaction.put(key, Row, value(1))))
      const bad = ledger.transact((transaction) => {
        transaction.put("bad", Row, value(1))
        return Effect.fail("no" as const)
      })
      const dies = ledger.transact((transaction) => {
        transaction.put("dies", Row, value(1))
        return Effect.die("bug")
      })
      const exits = yield* Effect.forEach([good("a"), bad, dies, good("b")], Effect.exit, { concurrency: "unbounded" })
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, false, true])
      assert.deepStrictEqual(
        (yield* ledger.scan({ prefix: "" })).map(({ key }) => key),
        ["a", "b"]
      )
    })
  )

  it.effect("runs one after another, each seeing the last, and commits together what waited together", () =>
    Effect.gen(function* () {
      const { disk, ledger } = yield* setup
      const increment = ledger.transact((transaction) =>
        Effect.gen(function* () {
          const { next } = (yield* transaction.get("n", Row)) ?? value(0)
          yield* Effect.yieldNow
          transaction.put("n", Row, value(next + 1))
          return next
        })
      )
      const results = yield* Effect.all(
        Array.from({ length: 500 }, () => increment),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        results,
        Array.from({ length: 500 }, (_, index) => index)
      )
      assert.deepStrictEqual(yield* ledger.get("n", Row), value(500))
      assert.isBelow(disk.syncs, 10)
    })
  )

  it.effect("shows once committed, acknowledges once durable, in order, and does neither when the commit fails", () =>
    Effect.gen(function* () {
      const { disk, faults, ledger, memory } = yield* setup
      const acted: Array<string> = []
      const one = (key: string, options?: { readonly relaxed: boolean }) =>
        ledger.transact(
          (transaction) =>
            Effect.sync(() => {
              transaction.put(key, Row, value(1))
              transaction.onCommit(() => acted.push(key))
              if (options === undefined) transaction.onDurable(() => acted.push(`${key} on disk`))
            }),
          options
        )
      disk.ready.closeUnsafe()
      const caller = yield* Effect.forkChild(Effect.all([one("a"), one("b"), one("c")], { concurrency: "unbounded" }), {
        startImmediately: true
      })
      while (disk.syncs === 0) yield* Effect.yieldNow
      yield* one("relaxed", { relaxed: true })
      assert.deepStrictEqual(acted, ["a", "b", "c", "relaxed"])
      disk.ready.openUnsafe()
      yield* Fiber.join(caller)
      assert.deepStrictEqual(acted.splice(0).slice(4), ["a on disk", "b on disk", "c on disk"])
      faults.commit = new StoreError({ reason: "full", detail: "no space" })
      assert.deepInclude(yield* Effect.flip(one("d")), { reason: "full" })
      assert.deepStrictEqual(acted, [])
      faults.sync = new StoreError({ reason: "io", detail: "the disk is gone" })
      assert.deepInclude(yield* Effect.flip(one("f")), { reason: "io" })
      assert.deepStrictEqual(acted, ["f"])
      yield* one("e")
      assert.deepStrictEqual(acted, ["f", "e", "e on disk"])
      assert.strictEqual((yield* memory.scan({ prefix: "" })).length, 6)
    })
  )

  it.effect("waits for the disk, even if relaxed, where something is to be acknowledged", () =>
    Effect.gen(function* () {
      const { disk, ledger } = yield* setup
      let isDurable = false
      yield* ledger.transact(
        (transaction) =>
          Effect.sync(() => {
            transaction.put("a", Row, value(1))
            transaction.onDurable(() => (isDurable = disk.syncs === 1))
          }),
        { relaxed: true }
      )
      assert.isTrue(isDurable)
    })
  )

  it.effect("waits for the disk unless relaxed, while others are committed and then wait together", () =>
    Effect.gen(function* () {
      const { commits, disk, ledger, write } = yield* setup
      disk.ready.closeUnsafe()
      const first = yield* Effect.forkChild(write("a"), { startImmediately: true })
      while (disk.syncs === 0) yield* Effect.yieldNow
      yield* write("b", { relaxed: true })
      const others = yield* Effect.forkChild(Effect.all([write("c"), write("d"), write("e")], { concurrency: 3 }), {
        startImmediately: true
      })
      while (commits.flat().length < 5) yield* Effect.yieldNow
      assert.deepStrictEqual(yield* ledger.get("e", Row), value(1))
      assert.isUndefined(first.pollUnsafe())
      assert.isUndefined(others.pollUnsafe())
      disk.ready.openUnsafe()
      yield* Fiber.join(first)
      yield* Fiber.join(others)
      assert.strictEqual(disk.syncs, 2)
    })
  )

  it.effect("keeps small rows in memory, and asks the store for long ones", () =>
    Effect.gen(function* () {
      const memory = MemoryLocalStore.make()
      const asked: Array<string> = []
      const store = LocalStore.of({
        ...memory,
        get: (key) => {
          asked.push(key)
          return memory.get(key)
        }
      })
      const ledger = yield* Effect.provideService(Ledger.make, LocalStore, store)
      const texts = { short: "a", long: "a".repeat(5_000) }
      const rows = Object.entries(texts)
      yield* ledger.transact((transaction) =>
        Effect.sync(() => {
          for (const [key, text] of rows) transaction.put(key, Draft, { text })
        })
      )
      for (let round = 0; round < 2; round++) {
        for (const [key, text] of rows) {
          assert.deepStrictEqual(yield* ledger.get(key, Draft), { text })
          assert.deepStrictEqual(yield* ledger.transact((transaction) => transaction.get(key, Draft)), { text })
        }
      }
      assert.deepStrictEqual(asked, ["long", "long", "long", "long"])
    })
  )

  it.effect("notices that somebody else writes to the store", () =>
    Effect.gen(function* () {
      const { ledger, memory } = yield* setup
      yield* memory.commit([{ op: "put", key: "slot", value: new Uint8Array() }])
      const error = yield* Effect.flip(
        ledger.transact((transaction) => Effect.sync(() => transaction.putNew("slot", Row, value(1))))
      )
      assert.instanceOf(error, StoreConflict)
    })
  )

  it.effect("goes on after a caller was interrupted while it waited", () =>
    Effect.gen(function* () {
      const { ledger } = yield* setup
      const gate = yield* Deferred.make<void>()
      const holding = yield* Effect.forkChild(
        ledger.transact(() => Deferred.await(gate)),
        { startImmediately: true }
      )
      const waiting = yield* Effect.forkChild(
        ledger.transact((transaction) => Effect.sync(() => transaction.put("late", Row, value(1)))),
        { startImmediately: true }
      )
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(waiting), { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.await(holding)
      yield* Fiber.await(interrupting)
      yield* ledger.transact((transaction) => Effect.sync(() => transaction.put("next", Row, value(1))))
      assert.deepStrictEqual(
        (yield* ledger.scan({ prefix: "" })).map(({ key }) => key),
        ["next"]
      )
    })
  )

  it.effect("says `damaged` for an entry that does not decode, naming it", () =>
    Effect.gen(function* () {
      const { ledger, memory } = yield* setup
      yield* memory.commit([{ op: "put", key: "order", value: new TextEncoder().encode('{"next":-1}') }])
      const error = yield* Effect.flip(ledger.get("order", Row))
      assert.strictEqual(error.reason, "damaged")
      assert.include(error.message, "order")
    })
  )
})
