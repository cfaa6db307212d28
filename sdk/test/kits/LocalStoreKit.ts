/**
 * What every LocalStore must do. Applied to each adapter; `make` gives a new, empty store for each test.
 *
 * What a power failure leaves cannot be asked of a service: an adapter's own tests show that its files, as they were when
 * a `sync` returned, have every commit before it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, type Scope } from "effect"
import * as fc from "fast-check"
import { type Entry, LocalStore, prefixEnd, type Range, StoreConflict, type Write } from "@kez-chat/sdk/services"
import { checkProperty } from "./Property.ts"

type Store = LocalStore["Service"]

const bytes = (...values: ReadonlyArray<number>) => Uint8Array.from(values)
const put = (key: string, ...value: ReadonlyArray<number>): Write => ({ op: "put", key, value: bytes(...value) })
const del = (key: string): Write => ({ op: "delete", key })
const keysOf = (entries: ReadonlyArray<Entry>) => entries.map((entry) => entry.key)

const utf8 = new TextEncoder()
const compareUtf8 = (a: string, b: string) => {
  const [x, y] = [utf8.encode(a), utf8.encode(b)]
  const i = x.findIndex((byte, i) => byte !== y[i])
  return i < 0 ? x.length - y.length : x[i]! - (y[i] ?? -1)
}

/** The obvious store, to compare with. */
class Model {
  readonly values = new Map<string, Uint8Array>()

  commit(writes: ReadonlyArray<Write>): boolean {
    const before = new Map(this.values)
    for (const write of writes) {
      if (write.op === "delete") this.values.delete(write.key)
      else if (write.ifAbsent === true && this.values.has(write.key)) {
        this.values.clear()
        for (const [key, value] of before) this.values.set(key, value)
        return false
      } else this.values.set(write.key, write.value)
    }
    return true
  }

  scan(range: Range): Array<Entry> {
    const found = [...this.values.entries()]
      .map(([key, value]) => ({ key, value }))
      .filter(({ key }) => key.startsWith(range.prefix))
      .filter(({ key }) => range.after === undefined || compareUtf8(key, range.after) > 0)
      .filter(({ key }) => range.before === undefined || compareUtf8(key, range.before) < 0)
      .sort((a, b) => compareUtf8(a.key, b.key))
    return (range.reverse === true ? found.toReversed() : found).slice(0, range.limit ?? found.length)
  }
}

// Few letters, so that prefixes and neighbours collide; with characters on both sides of the surrogates.
const key = fc
  .array(fc.constantFrom("a", "b", "/", "\u0000", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"), {
    maxLength: 4
  })
  .map((characters) => characters.join(""))
const value = fc.uint8Array({ maxLength: 8 })
const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant("put" as const), key, value }) },
  fc.record({ op: fc.constant("put" as const), key, value, ifAbsent: fc.constant(true) }),
  fc.record({ op: fc.constant("delete" as const), key })
)
const range: fc.Arbitrary<Range> = fc.record(
  { prefix: key, after: key, before: key, limit: fc.integer({ min: 0, max: 6 }), reverse: fc.boolean() },
  { requiredKeys: ["prefix"] }
)

export const localStoreKit = <E>(name: string, make: Effect.Effect<Store, E, Scope.Scope>): void => {
  describe(`LocalStore: ${name}`, () => {
    it.effect("knows nothing at first", () =>
      Effect.gen(function* () {
        const store = yield* make
        assert.isTrue(Option.isNone(yield* store.get("a")))
        assert.deepStrictEqual(yield* store.scan({ prefix: "" }), [])
      })
    )

    it.effect("gives back what was put, byte for byte", () =>
      Effect.gen(function* () {
        const store = yield* make
        const all = Uint8Array.from({ length: 256 }, (_, i) => i)
        const large = new Uint8Array(70_000).fill(7)
        yield* store.commit([
          put("empty"),
          { op: "put", key: "all", value: all },
          { op: "put", key: "large", value: large }
        ])
        assert.deepStrictEqual(Option.getOrThrow(yield* store.get("empty")), bytes())
        assert.deepStrictEqual(Option.getOrThrow(yield* store.get("all")), all)
        assert.deepStrictEqual(Option.getOrThrow(yield* store.get("large")), large)
      })
    )

    it.effect("takes bytes that are a window onto a larger buffer", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.commit([{ op: "put", key: "a", value: bytes(1, 2, 3, 4).subarray(1, 3) }])
        assert.deepStrictEqual(Option.getOrThrow(yield* store.get("a")), bytes(2, 3))
      })
    )

    it.effect("is not changed by what the caller does to bytes afterwards", () =>
      Effect.gen(function* () {
        const store = yield* make
        const mine = bytes(1, 2)
        yield* store.commit([{ op: "put", key: "a", value: mine }])
        mine[0] = 9
        const first = Option.getOrThrow(yield* store.get("a"))
        assert.deepStrictEqual(first, bytes(1, 2))
        first[0] = 9
        const scanned = yield* store.scan({ prefix: "a" })
        assert.deepStrictEqual(scanned[0]!.value, bytes(1, 2))
        scanned[0]!.value[0] = 9
        assert.deepStrictEqual(Option.getOrThrow(yield* store.get("a")), bytes(1, 2))
      })
    )

    it.effect("deletes, also what is not there, and lets later writes of a commit win", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.commit([put("a", 1), del("none"), put("a", 2), put("b", 1), del("b"), del("c"), put("c", 3)])
        assert.deepStrictEqual(yield* store.scan({ prefix: "" }), [
          { key: "a", value: bytes(2) },
          { key: "c", value: bytes(3) }
        ])
        yield* store.commit([del("a"), del("c")])
        assert.deepStrictEqual(yield* store.scan({ prefix: "" }), [])
        yield* store.commit([])
      })
    )

    it.effect("keeps nothing of a commit whose condition fails, and names the key", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.commit([put("taken", 1)])
        const error = yield* Effect.flip(
          store.commit([put("new", 1), del("taken"), put("taken", 2), { ...put("taken", 3), ifAbsent: true } as Write])
        )
        assert.instanceOf(error, StoreConflict)
        assert.strictEqual((error as StoreConflict).key, "taken")
        assert.deepStrictEqual(yield* store.scan({ prefix: "" }), [{ key: "taken", value: bytes(1) }])
        // The condition looks at the commit's own earlier writes.
        yield* store.commit([del("taken"), { ...put("taken", 4), ifAbsent: true } as Write])
        assert.deepStrictEqual(Option.getOrThrow(yield* store.get("taken")), bytes(4))
      })
    )

    it.effect("can be asked to have everything on disk, at any time", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.sync
        yield* store.commit([put("a", 1)])
        yield* store.sync
        yield* store.sync
        assert.isTrue(Option.isSome(yield* store.get("a")))
      })
    )

    it.effect("shows a commit as soon as it returns, also while others wait for the disk", () =>
      Effect.gen(function* () {
        const store = yield* make
        yield* store.commit([put("a", 1)])
        const syncing = yield* Effect.forkChild(store.sync, { startImmediately: true })
        for (const n of [1, 2, 3]) {
          yield* store.commit([put("a", n), put(`b${n}`, n)])
          assert.deepStrictEqual(Option.getOrThrow(yield* store.get("a")), bytes(n))
        }
        yield* Effect.all([Fiber.join(syncing), store.sync, store.sync], { concurrency: "unbounded" })
        assert.deepStrictEqual(keysOf(yield* store.scan({ prefix: "" })), ["a", "b1", "b2", "b3"])
      })
    )

    it.effect("scans a prefix in the order of UTF-8 bytes, within bounds that are exclusive", () =>
      Effect.gen(function* () {
        const store = yield* make
        const keys = ["m/1", "m/10", "m/2", "m/\ue000", "m/\u{10000}", "m0", "l/9"]
        yield* store.commit(keys.map((key) => put(key)))
        const scan = (range: Range) => Effect.map(store.scan(range), keysOf)
        assert.deepStrictEqual(yield* scan({ prefix: "m/" }), ["m/1", "m/10", "m/2", "m/\ue000", "m/\u{10000}"])
        assert.deepStrictEqual(yield* scan({ prefix: "m/", after: "m/1", before: "m/2" }), ["m/10"])
        assert.deepStrictEqual(yield* scan({ prefix: "m/", limit: 2 }), ["m/1", "m/10"])
        assert.deepStrictEqual(yield* scan({ prefix: "m/", limit: 0 }), [])
        assert.deepStrictEqual(yield* scan({ prefix: "m/", reverse: true, limit: 2 }), ["m/\u{10000}", "m/\ue000"])
        assert.deepStrictEqual(yield* scan({ prefix: "m/", reverse: true, before: "m/2", limit: 1 }), ["m/10"])
        assert.deepStrictEqual(yield* scan({ prefix: "m/", after: "a" }), yield* scan({ prefix: "m/" }))
        assert.deepStrictEqual(yield* scan({ prefix: "m/", after: "z" }), [])
        assert.deepStrictEqual(yield* scan({ prefix: "m/", after: "m/2", before: "m/1" }), [])
      })
    )

    it.effect("does as the model does, for any commits and ranges", () =>
      checkProperty(
        [fc.array(fc.array(write, { maxLength: 6 }), { maxLength: 8 }), fc.array(range, { maxLength: 6 })],
        (commits, ranges) =>
          Effect.gen(function* () {
            const store = yield* make
            const model = new Model()
            for (const writes of commits) {
              const exit = yield* Effect.exit(store.commit(writes))
              assert.strictEqual(Exit.isSuccess(exit), model.commit(writes))
            }
            for (const range of ranges) assert.deepStrictEqual(yield* store.scan(range), model.scan(range))
          }).pipe(Effect.scoped),
        { numRuns: 60 }
      )
    )
  })
}

describe("prefixEnd", () => {
  it("is the least key above all that begin with the prefix", () => {
    assert.strictEqual(prefixEnd("m/"), "m0")
    assert.strictEqual(prefixEnd("\ud7ff"), "\ue000")
    assert.strictEqual(prefixEnd("a\u{10ffff}"), "b")
    assert.isUndefined(prefixEnd(""))
    assert.isUndefined(prefixEnd("\u{10ffff}"))
  })
})
