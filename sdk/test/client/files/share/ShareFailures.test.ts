/** Shares that are refused or fail, and what is left of them at the next start. */
import { Effect, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { FastBlake3, SealedFile } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes } from "@kez-chat/sdk/protocol"
import { BlobStore, BlobStoreError, FileError, LocalStore, StoreError } from "@kez-chat/sdk/services"
import { completeIn, hashOf, unreadable } from "../../kit/Files.ts"
import { codeOf, join, makeWorld, twoFriends } from "../../kit/People.ts"
import { file } from "../../kit/Publishing.ts"

describe("sharing a file", () => {
  for (const [what, options, code] of [
    ["without a reader", { file: unreadable }, "request_malformed"],
    ["with oneself", { file: unreadable, with: ["alice"] }, "request_malformed"],
    ["with a stranger", { file: unreadable, with: ["bob", "dora"] }, "ContactUnknown"],
    ["public and unlisted", { file: unreadable, public: true, unlisted: true }, "request_malformed"],
    ["under a path", { file: { ...unreadable, name: "../passwd" }, with: ["bob"] }, "request_malformed"],
    ["without a name", { file: { ...unreadable, name: "" }, with: ["bob"] }, "request_malformed"],
    ["under a name too long", { file: { ...unreadable, name: "x".repeat(256) }, with: ["bob"] }, "request_malformed"],
    ["in a folder outside", { file: { ...unreadable, folder: "a/../b" }, with: ["bob"] }, "request_malformed"],
    ["under half a character", { file: { ...unreadable, name: "\ud800" }, with: ["bob"] }, "request_malformed"],
    [
      "with a large thumbnail",
      { file: { ...unreadable, thumbnail: new Uint8Array(8_193) }, with: ["bob"] },
      "request_malformed"
    ]
  ] as const) {
    it.live(`${what} is refused before anything is read`, () =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { alice } = yield* twoFriends(world)
        const error = yield* Effect.flip(alice.chat.share(options))
        assert.strictEqual(codeOf(error), code)
        assert.deepStrictEqual(yield* alice.chat.shared, [])
        assert.deepStrictEqual(yield* alice.device.blobs.list, [])
      })
    )
  }

  it.live("with somebody who is blocked, unaccepted or changed is refused before anything is read", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const carol = yield* join(world, "carol")
      yield* carol.chat.addContact("alice")
      yield* carol.chat.send("alice", "hi")
      yield* alice.program.event("Request")
      const refusal = (who: string) => Effect.flip(alice.chat.share({ file: unreadable, with: [who] }))
      assert.deepInclude(yield* refusal("carol"), { _tag: "SendBlocked", reason: "requested" })
      yield* alice.chat.block("bob")
      assert.deepInclude(yield* refusal("bob"), { _tag: "SendBlocked", reason: "blocked" })
      yield* alice.chat.unblock("bob")
      const chain = world.home.chains.get(bob.account.primary)!
      world.home.chains.set(bob.account.primary, chain.slice(0, 1))
      yield* alice.chat.refreshContact("bob")
      assert.deepInclude(yield* refusal("bob"), { _tag: "SendBlocked", reason: "changed" })
    })
  )

  it.live("with somebody who is blocked in the meantime leaves nothing", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const slow = file("slow.txt", "", {
        bytes: (async function* () {
          yield Bytes.utf8("first")
          await Effect.runPromise(alice.chat.block("bob"))
          yield Bytes.utf8("second")
        })()
      })
      const error = yield* Effect.flip(alice.chat.share({ file: slow, with: ["bob"] }))
      assert.deepInclude(error, { _tag: "SendBlocked", reason: "blocked" })
      assert.deepStrictEqual(yield* alice.device.blobs.list, [])
      assert.deepStrictEqual(yield* alice.chat.shared, [])
      assert.deepStrictEqual(yield* alice.chat.history("bob"), [])
    })
  )

  it.live("that cannot be read to its end fails with a FileError and leaves nothing", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const failing = (thrown: unknown) =>
        file("failing.txt", "", {
          bytes: (async function* () {
            yield Bytes.utf8("first")
            throw thrown
          })()
        })
      const io = yield* Effect.flip(alice.chat.share({ file: failing(new Error("bad sector")), with: ["bob"] }))
      assert.deepInclude(io, { _tag: "FileError", reason: "io", path: "failing.txt" })
      assert.include(io.message, "bad sector")
      const changed = new FileError({ reason: "changed", path: "/tmp/failing.txt", detail: "it grew" })
      assert.strictEqual(yield* Effect.flip(alice.chat.share({ file: failing(changed), with: ["bob"] })), changed)
      assert.deepStrictEqual(yield* alice.device.blobs.list, [])
    })
  )

  it.live("leaves no blob when the store fails, and loses none that was committed all the same", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      yield* alice.program.close
      let failing: "no" | "commit" | "sync" = "no"
      const full = new StoreError({ reason: "full", detail: "no space" })
      const { store } = alice.device
      const broken = LocalStore.of({
        ...store,
        commit: (writes) => (failing === "commit" ? Effect.fail(full) : store.commit(writes)),
        sync: Effect.suspend(() => (failing === "sync" ? Effect.fail(full) : store.sync))
      })
      const { chat } = yield* world.start({ ...alice.device, store: broken })
      yield* chat.sync
      failing = "commit"
      assert.deepInclude(yield* Effect.flip(chat.share({ file: file("one"), with: ["bob"] })), { reason: "full" })
      assert.deepStrictEqual(yield* alice.device.blobs.list, [])
      failing = "sync"
      assert.deepInclude(yield* Effect.flip(chat.share({ file: file("two"), with: ["bob"] })), { reason: "full" })
      failing = "no"
      const kept = yield* chat.shared
      assert.deepStrictEqual(
        kept.map(({ blobHash }) => hashOf(blobHash)),
        yield* completeIn(alice.device.blobs)
      )
    })
  )

  it.live("with a full blob store says so", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      yield* alice.program.close
      const full = new BlobStoreError({ reason: "full", detail: "no space" })
      const blobs = BlobStore.of({ ...alice.device.blobs, put: (produce) => produce(() => Effect.fail(full)) })
      const { chat } = yield* world.start({ ...alice.device, blobs })
      assert.strictEqual(yield* Effect.flip(chat.share({ file: file("one"), with: ["bob"] })), full)
      assert.deepStrictEqual(yield* chat.shared, [])
    })
  )
})

describe("blobs at the start", () => {
  it.live("that no share has are removed, and those of shares and of others' files stay", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const share = yield* alice.chat.share({ file: file("kept"), with: ["bob"] })
      yield* alice.program.close
      const key = yield* SealedFile.makeKey
      const put = (text: string) =>
        Effect.flatMap(FastBlake3.load, (subtree) =>
          alice.device.blobs.put((write) => SealedFile.encrypt(key, Stream.succeed(Bytes.utf8(text)), subtree, write))
        )
      yield* put("an orphan")
      const again = yield* world.start(alice.device)
      // Sharing waits for what is removed at the start.
      const next = yield* again.chat.share({ file: file("next"), with: ["bob"] })
      assert.deepStrictEqual(
        (yield* completeIn(alice.device.blobs)).sort(),
        [hashOf(share.blobHash), hashOf(next.blobHash)].sort()
      )
    }).pipe(Effect.provide(NodeCrypto.layer))
  )

  it.live("of shares whose blob is gone are shown as not here", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const share = yield* alice.chat.share({ file: file("lost"), with: ["bob"] })
      yield* alice.device.blobs.remove(hashOf(share.blobHash))
      assert.deepStrictEqual(
        (yield* alice.chat.shared).map(({ here }) => here),
        [false]
      )
    })
  )
})
