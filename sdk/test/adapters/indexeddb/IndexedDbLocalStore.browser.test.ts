import { IndexedDbLocalStore } from "@kez-chat/sdk/indexeddb"
import { LocalStore, StoreError, type Write } from "@kez-chat/sdk/services"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Option, Schedule, Scope } from "effect"
import { open as openDatabase } from "../../../src/adapters/indexeddb/Database.ts"
import { localStoreKit } from "../../kits/LocalStoreKit.ts"
import * as Raw from "./RawDatabase.ts"

const { make } = IndexedDbLocalStore

const put = (key: string, ...value: ReadonlyArray<number>): Write => ({ op: "put", key, value: Uint8Array.from(value) })
const keysOf = (store: LocalStore["Service"], prefix = "") =>
  Effect.map(store.scan({ prefix }), (entries) => entries.map(({ key }) => key))
const reasonOf = <A>(effect: Effect.Effect<A, unknown, Scope.Scope>) =>
  Effect.map(Effect.flip(Effect.scoped(effect)), (error) => (error instanceof StoreError ? error.reason : error))

/** Replaces a method for the time of a scope. */
const override = <T extends object, K extends keyof T>(target: T, name: K, change: (original: T[K]) => T[K]) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const original = target[name]
      target[name] = change(original)
      return original
    }),
    (original) => Effect.sync(() => void (target[name] = original))
  )

localStoreKit(
  "IndexedDB",
  Effect.suspend(() => make({ name: Raw.newName() }))
)

describe("the IndexedDB database", () => {
  it.live("keeps what was committed when it is opened again", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      yield* Effect.scoped(
        Effect.flatMap(make({ name }), (store) =>
          Effect.andThen(store.commit([put("a", 1), put("\u{10000}", 2), put("\ue000", 3), put("", 4)]), store.sync)
        )
      )
      const again = yield* make({ name })
      assert.deepStrictEqual(Option.getOrThrow(yield* again.get("a")), Uint8Array.of(1))
      assert.deepStrictEqual(yield* keysOf(again), ["", "a", "\ue000", "\u{10000}"])
      yield* again.commit([{ op: "delete", key: "a" }])
      assert.isTrue(Option.isNone(yield* again.get("a")))
    })
  )

  it.live("has one owner, and the next one when that closes", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      const first = yield* Scope.make()
      const store = yield* Scope.provide(make({ name }), first)
      assert.strictEqual(yield* reasonOf(make({ name })), "locked")
      yield* store.commit([put("a", 1)])
      yield* Scope.close(first, Exit.void)
      const second = yield* make({ name })
      assert.deepStrictEqual(yield* keysOf(second), ["a"])
      assert.strictEqual(yield* reasonOf(store.get("a")), "io")
    })
  )

  it.live("reads 20,000 keys, and every range of them, in order", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      const keys = Array.from({ length: 20_000 }, (_, i) => `m/${String((i * 7_919) % 20_000).padStart(6, "0")}`)
      const sorted = keys.toSorted()
      yield* Effect.scoped(
        Effect.flatMap(make({ name }), (store) => store.commit(keys.map((key, i) => put(key, i & 255))))
      )
      const store = yield* make({ name })
      assert.deepStrictEqual(yield* keysOf(store), sorted)
      const newest = yield* store.scan({ prefix: "m/", reverse: true, limit: 250, before: "m/015000" })
      assert.deepStrictEqual(
        newest.map(({ key }) => key),
        sorted.slice(14_750, 15_000).toReversed()
      )
      const first = yield* store.get("m/007919")
      assert.deepStrictEqual(Option.getOrThrow(first), Uint8Array.of(1))
    })
  )

  it.live("reads in one transaction what is asked for in one turn, and nothing for what is absent", () =>
    Effect.gen(function* () {
      const store = yield* make({ name: Raw.newName() })
      yield* store.commit([put("a", 1), put("b", 2)])
      let transactions = 0
      yield* override(
        IDBDatabase.prototype,
        "transaction",
        (original) =>
          function (this: IDBDatabase, ...args) {
            transactions += 1
            return original.apply(this, args)
          }
      )
      const found = yield* Effect.all([store.get("a"), store.get("b"), store.get("c"), store.scan({ prefix: "" })], {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        found.slice(0, 3).map((value) => Option.isOption(value) && Option.isSome(value)),
        [true, true, false]
      )
      assert.lengthOf(found[3], 2)
      assert.strictEqual(transactions, 1)
      assert.isTrue(Option.isNone(yield* store.get("c")))
      assert.deepStrictEqual(yield* store.scan({ prefix: "c" }), [])
      assert.strictEqual(transactions, 1)
    })
  )

  it.live("shows a commit to the reads that begin while it is under way as a whole", () =>
    Effect.gen(function* () {
      const store = yield* make({ name: Raw.newName() })
      yield* store.commit([put("a", 0), put("b", 0)])
      for (let n = 1; n <= 20; n++) {
        const [, entries] = yield* Effect.all(
          [store.commit([put("a", n), put("b", n), put(`c${n}`, n)]), store.scan({ prefix: "" })],
          { concurrency: "unbounded" }
        )
        const values = entries.map(({ value }) => value[0])
        assert.strictEqual(values[0], values[1])
        assert.strictEqual(values.length, 2 + values[0]!)
      }
    })
  )

  it.live("says `full` where a write finds no room, and keeps nothing of that commit", () =>
    Effect.gen(function* () {
      const store = yield* make({ name: Raw.newName() })
      yield* store.commit([put("before", 1)])
      for (const conditional of [false, true]) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            let puts = 0
            yield* override(
              IDBObjectStore.prototype,
              "put",
              (original) =>
                function (this: IDBObjectStore, ...args) {
                  puts += 1
                  if (puts > 1) throw new DOMException("no room", "QuotaExceededError")
                  return original.apply(this, args)
                }
            )
            const first: Write = { op: "put", key: "a", value: Uint8Array.of(1), ifAbsent: conditional }
            assert.strictEqual(yield* reasonOf(store.commit([first, put("b", 1)])), "full")
          })
        )
        assert.deepStrictEqual(yield* keysOf(store), ["before"])
      }
      yield* store.commit([put("after", 1)])
      assert.deepStrictEqual(yield* keysOf(store), ["after", "before"])
    })
  )

  it.live("says `newer` for a database of a later version and leaves it as it is", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      yield* Effect.scoped(make({ name }))
      yield* Effect.scoped(Raw.connect(name, 2))
      assert.strictEqual(yield* reasonOf(make({ name })), "newer")
      assert.strictEqual((yield* Raw.connect(name)).version, 2)
    })
  )

  it.live("lets a later version upgrade it, and says so from then on", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      const store = yield* make({ name })
      yield* store.commit([put("a", 1)])
      yield* Raw.connect(name, 2)
      assert.strictEqual(yield* reasonOf(store.get("a")), "newer")
      assert.strictEqual(yield* reasonOf(store.commit([put("b", 1)])), "newer")
      assert.strictEqual(yield* reasonOf(store.sync), "newer")
    })
  )

  it.live("lets it be removed, and says so from then on", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      const store = yield* make({ name })
      yield* store.commit([put("a", 1)])
      yield* Raw.remove(name)
      const error = yield* Effect.flip(store.commit([put("b", 1)]))
      assert.include(error.message, "removed")
      const names = (yield* Effect.promise(() => indexedDB.databases())).map((database) => database.name)
      assert.notInclude(names, name)
    })
  )

  it.live("says `locked` where an older version keeps it open, and upgrades nothing later", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Raw.connect(name, 1)
          assert.strictEqual(yield* reasonOf(openDatabase(name, 2)), "locked")
        })
      )
      assert.strictEqual((yield* Raw.connect(name)).version, 1)
    })
  )

  it.live("says `damaged` for a database of another program, for other keys, and for other values", () =>
    Effect.gen(function* () {
      const foreign = Raw.newName()
      yield* Effect.scoped(Raw.connect(foreign, 1, (database) => database.createObjectStore("theirs")))
      assert.strictEqual(yield* reasonOf(make({ name: foreign })), "damaged")

      const name = Raw.newName()
      yield* Effect.scoped(Effect.flatMap(make({ name }), (store) => store.commit([put("a", 1), put("b", 2)])))
      yield* Raw.put(name, Uint8Array.of(0x61), "text")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* make({ name })
          const [a, b] = yield* Effect.all([Effect.flip(store.get("a")), store.get("b")], { concurrency: "unbounded" })
          assert.strictEqual(a.reason, "damaged")
          assert.deepStrictEqual(Option.getOrThrow(b), Uint8Array.of(2))
        })
      )
      yield* Raw.put(name, Uint8Array.of(0xff), new ArrayBuffer(0))
      assert.strictEqual(yield* reasonOf(make({ name })), "damaged")
    })
  )

  it.live("says `io` where the browser opens no database", () =>
    Effect.gen(function* () {
      yield* override(IDBFactory.prototype, "open", () => () => {
        throw new DOMException("denied", "SecurityError")
      })
      assert.strictEqual(yield* reasonOf(make({ name: Raw.newName() })), "io")
    })
  )

  it.live("loses nothing it acknowledged, and no half commit, when the writer is killed", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      let acknowledged = -1
      for (const atLeast of [20, 60]) {
        yield* Effect.callback<void>((resume) => {
          const worker = new Worker(new URL("./CommitWorker.ts", import.meta.url), { type: "module" })
          worker.addEventListener("message", ({ data }: MessageEvent<number>) => {
            acknowledged = data
            if (acknowledged < atLeast) return
            worker.terminate()
            resume(Effect.void)
          })
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- workers have none
          worker.postMessage({ name, from: acknowledged + 1 })
        })
        const [a, b] = yield* Effect.scoped(
          // The browser releases the lock of a dead worker when it gets to it.
          Effect.flatMap(Effect.retry(make({ name }), Schedule.spaced("20 millis")), (store) =>
            Effect.all([keysOf(store, "a/"), keysOf(store, "b/")])
          )
        )
        assert.deepStrictEqual(
          a.map((key) => key.slice(2)),
          b.map((key) => key.slice(2))
        )
        // Later commits may have been made and not said.
        assert.isAtLeast(a.length, acknowledged + 1)
        a.forEach((key, index) => assert.strictEqual(Number(key.slice(2)), index))
        acknowledged = a.length - 1
      }
    })
  )
})
