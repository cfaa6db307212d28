import { gcm } from "@noble/ciphers/aes.js"
import { hkdf } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { SealedLocalStore } from "@kez-chat/sdk/indexeddb"
import { MemoryLocalStore } from "@kez-chat/sdk/memory"
import { StoreConflict, StoreError, type Write } from "@kez-chat/sdk/services"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { localStoreKit } from "../../kits/LocalStoreKit.ts"

const seed = new Uint8Array(32).fill(1)
const utf8 = (text: string) => new TextEncoder().encode(text)
const put = (key: string, text: string): Write => ({ op: "put", key, value: utf8(text) })

const open = (inner: MemoryStore, fill = 1) =>
  SealedLocalStore.make(inner, Redacted.make(new Uint8Array(32).fill(fill)))
type MemoryStore = ReturnType<typeof MemoryLocalStore.make>
const raw = (inner: MemoryStore, key: string) => Effect.map(inner.get(key), Option.getOrThrow)

const damagedKey = <A>(effect: Effect.Effect<A, StoreError>) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.strictEqual(error.reason, "damaged")
    return error.detail
  })

localStoreKit(
  "memory, sealed",
  Effect.suspend(() => open(MemoryLocalStore.make()))
)

describe("SealedLocalStore", () => {
  it.effect("keeps nonce, ciphertext and tag under HKDF of the seed, bound to the key of the entry", () =>
    Effect.gen(function* () {
      const inner = MemoryLocalStore.make()
      const store = yield* open(inner)
      yield* store.commit([put("message/1", "see you at eight"), put("message/2", "see you at eight")])
      const [one, two] = [yield* raw(inner, "message/1"), yield* raw(inner, "message/2")]
      assert.notDeepEqual(one.subarray(0, 12), two.subarray(0, 12))
      const key = hkdf(sha256, seed, new Uint8Array(0), utf8("kez-chat/web-store/1"), 32)
      const opened = gcm(key, one.subarray(0, 12), utf8("message/1")).decrypt(one.subarray(12))
      assert.deepStrictEqual(new Uint8Array(opened), utf8("see you at eight"))
    })
  )

  it.effect("says `damaged`, with the key, for every flipped byte and every shorter value", () =>
    Effect.gen(function* () {
      const inner = MemoryLocalStore.make()
      const store = yield* open(inner)
      yield* store.commit([put("a", "hi"), put("b", "ho")])
      const whole = yield* raw(inner, "a")
      const broken = Array.from(whole, (_, at) => whole.map((byte, i) => (i === at ? byte ^ 1 : byte)))
      for (const value of [...broken, ...Array.from(whole, (_, length) => whole.slice(0, length))]) {
        yield* inner.commit([{ op: "put", key: "a", value }])
        assert.include(yield* damagedKey(store.get("a")), " a ")
        yield* damagedKey(store.scan({ prefix: "" }))
        assert.isTrue(Option.isSome(yield* store.get("b")))
      }
      yield* inner.commit([{ op: "put", key: "a", value: whole }])
      assert.isTrue(Option.isSome(yield* store.get("a")))
    })
  )

  it.effect("opens no value that belongs to another entry or another seed", () =>
    Effect.gen(function* () {
      const inner = MemoryLocalStore.make()
      const store = yield* open(inner)
      yield* store.commit([put("a", "hi")])
      yield* inner.commit([{ op: "put", key: "b", value: yield* raw(inner, "a") }])
      yield* damagedKey(store.get("b"))
      yield* damagedKey((yield* open(inner, 2)).get("a"))
    })
  )

  it.effect("opens with the seed that it was handed over to, and with the one before, whatever was sealed when", () =>
    Effect.gen(function* () {
      const inner = MemoryLocalStore.make()
      const secret = (fill: number) => Redacted.make(new Uint8Array(32).fill(fill))
      const before = yield* open(inner)
      yield* before.commit([put("a", "first"), put("b", "second")])
      yield* SealedLocalStore.handOver(inner, secret(1), secret(2))
      yield* before.commit([put("c", "meanwhile")])
      yield* SealedLocalStore.handOver(inner, secret(2), secret(3))
      for (const fill of [1, 2, 3]) {
        const store = yield* open(inner, fill)
        const entries = yield* store.scan({ prefix: "" })
        assert.deepStrictEqual(entries, [
          { key: "a", value: utf8("first") },
          { key: "b", value: utf8("second") },
          { key: "c", value: utf8("meanwhile") }
        ])
        assert.lengthOf(yield* store.scan({ prefix: "", limit: 2 }), 2)
        assert.lengthOf(yield* store.scan({ prefix: "", limit: 3, reverse: true }), 3)
      }
      yield* damagedKey((yield* open(inner, 4)).get("a"))
    })
  )

  it.effect("passes on the errors of the store below", () =>
    Effect.gen(function* () {
      const error = new StoreError({ reason: "full", detail: "no room" })
      const inner = MemoryLocalStore.make()
      const failing = yield* open({ ...inner, commit: () => Effect.fail(error), sync: Effect.fail(error) })
      assert.strictEqual(yield* Effect.flip(failing.commit([put("a", "hi")])), error)
      assert.strictEqual(yield* Effect.flip(failing.sync), error)
      const store = yield* open(inner)
      yield* store.commit([put("a", "hi")])
      const again = store.commit([{ op: "put", key: "a", value: utf8("ho"), ifAbsent: true }])
      assert.instanceOf(yield* Effect.flip(again), StoreConflict)
    })
  )

  it.effect("seals and opens a thousand values of one commit and one scan", () =>
    Effect.gen(function* () {
      const store = yield* open(MemoryLocalStore.make())
      const keys = Array.from({ length: 1_000 }, (_, i) => `m/${String(i).padStart(4, "0")}`)
      yield* store.commit(keys.map((key) => put(key, key)))
      const entries = yield* store.scan({ prefix: "m/" })
      assert.deepStrictEqual(
        entries,
        keys.map((key) => ({ key, value: utf8(key) }))
      )
    })
  )
})
