/** Files that are here: read, kept, discarded and collected; and clients that fetch nothing. */
import { Effect, Redacted, Result, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { WrappedKey } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Ticket } from "@kez-chat/sdk/protocol"
import { type BlobStore, BlobTransport, noFiles } from "@kez-chat/sdk/services"
import {
  contentAt,
  contentOf,
  fetched,
  fileOf,
  follow,
  hashOf,
  offerTo,
  serving,
  watchedFriends
} from "../../kit/Files.ts"
import { ghost } from "../../kit/Ghost.ts"
import { codeOf, join, keyOf, makeWorld, newDevice, twoFriends } from "../../kit/People.ts"

describe("a fetched file", () => {
  it.live("can be read once it is complete, even after its owner took it back, until it is discarded", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      yield* serving(alice)
      const content = contentOf(200_000)
      const share = yield* alice.chat.share({ file: fileOf(content, "plan.txt"), with: ["bob"] })
      yield* alice.chat.flush
      const offer = yield* offerTo(bob, share)
      const early = yield* Effect.flip(Stream.runDrain(bob.chat.read(offer.id)))
      assert.strictEqual(early._tag === "BlobStoreError" && early.reason, "missing")
      yield* bob.chat.refreshContact("alice")
      yield* fetched(bob, "@alice/plan.txt")
      yield* alice.chat.unshare(share.id)
      yield* alice.chat.flush
      yield* bob.chat.refreshContact("alice")
      assert.deepStrictEqual((yield* bob.chat.browse("alice")).files, [])
      for (const what of [offer.id, "@alice/plan.txt", `@alice/${share.id}`]) {
        assert.deepStrictEqual(yield* contentAt(bob, what), content, what)
      }
      yield* bob.chat.discard("@alice/plan.txt")
      assert.deepStrictEqual(yield* bob.device.blobs.list, [])
      const late = yield* Effect.flip(Stream.runDrain(bob.chat.read("@alice/plan.txt")))
      assert.strictEqual(codeOf(late), "file_not_found")
    })
  )

  it.live("may be one's own: it is here already and cannot be discarded", () =>
    Effect.gen(function* () {
      const { alice } = yield* twoFriends(makeWorld())
      const content = contentOf(100)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const [message] = yield* alice.chat.history("bob")
      for (const what of [message!.id, `@alice/${share.id}`]) {
        assert.strictEqual((yield* fetched(alice, what)).at(-1)?.state, "complete")
        yield* alice.chat.discard(what)
        assert.deepStrictEqual(yield* contentAt(alice, what), content)
      }
    })
  )

  it.live("may be on another device of the account, which cannot be asked for it", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      yield* serving(alice)
      yield* alice.chat.share({ file: fileOf(contentOf(100)), with: ["bob"] })
      yield* alice.chat.flush
      const [message] = yield* alice.chat.history("bob")
      const tablet = yield* world.start(newDevice())
      yield* tablet.chat.restore({ words: alice.words })
      yield* tablet.chat.sync
      for (const what of [message!.id, "@alice/report.pdf"]) {
        const error = yield* Effect.flip(Stream.runDrain(tablet.chat.fetch(what)))
        assert.strictEqual(error._tag === "BlobStoreError" && error.reason, "missing", what)
        assert.match(error.message, /another device of this account/)
      }
    })
  )

  it.live("stays when somebody else offers the same blob", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const content = contentOf(100)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const mallory = yield* ghost(67)
      const to = keyOf(alice.account.primary)
      const hash = Result.getOrThrow(Bytes.fromHex(hashOf(share.blobHash)))
      const binding = { blobHash: hash, owner: mallory.key }
      const wrapped = yield* Effect.provide(
        WrappedKey.wrap(Redacted.make(new Uint8Array(32)), binding, to),
        NodeCrypto.layer
      )
      const body = {
        type: "file_share" as const,
        filename: "yours.pdf",
        media_type: "application/pdf",
        size: 100,
        blob_hash: share.blobHash,
        ticket: Ticket.encode({ endpoint: mallory.key, addresses: [], format: "raw", hash }),
        wrapped_content_key: wrapped,
        self_wrapped_content_key: wrapped,
        chain: { seq: 0, hash: `sha256:${"1".repeat(64)}` }
      }
      world.broker.store(to, yield* mallory.frame({ to, body }))
      const request = yield* alice.program.event("Request")
      yield* alice.chat.accept(mallory.primary)
      yield* alice.chat.discard(request.message.id)
      assert.deepStrictEqual(yield* contentAt(alice, `@alice/${share.id}`), content)
    })
  )

  it.live("is removed at the start if it is incomplete and thirty days old, and with the account", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob, gate } = yield* watchedFriends(world)
      yield* serving(alice)
      const whole = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
      yield* fetched(bob, (yield* offerTo(bob, whole)).id)
      gate.readsLeft = 8
      const part = yield* alice.chat.share({ file: fileOf(contentOf(200_000)), with: ["bob"] })
      const fetching = yield* follow(bob, (yield* offerTo(bob, part)).id)
      yield* fetching.reaches("receiving")
      yield* bob.program.close
      assert.strictEqual((yield* bob.device.blobs.list).length, 2)
      const old = 31 * 24 * 60 * 60 * 1000
      const blobs: BlobStore["Service"] = {
        ...bob.device.blobs,
        list: Effect.map(bob.device.blobs.list, (infos) =>
          infos.map((info) => ({ ...info, writtenAt: info.writtenAt - old }))
        )
      }
      const again = yield* world.start({ ...bob.device, blobs })
      while ((yield* blobs.list).length > 1) yield* Effect.sleep(5)
      assert.deepStrictEqual(
        (yield* blobs.list).map(({ hash }) => hash),
        [hashOf(whole.blobHash)]
      )
      yield* again.chat.deleteAccount
      assert.deepStrictEqual(yield* blobs.list, [])
    })
  )

  it.live("fails at once, without asking anybody, where this client has no transport", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const transport = yield* BlobTransport.pipe(Effect.provide(noFiles))
      const alice = yield* join(world, "alice")
      const page = yield* join(world, "page", { ...newDevice(), transport })
      yield* alice.chat.addContact("page")
      yield* page.chat.addContact("alice")
      const share = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["page"] })
      const offer = yield* offerTo(page, share)
      yield* page.chat.flush
      const before = world.broker.stored(keyOf(alice.account.primary)).length
      for (const failing of [Stream.runDrain(page.chat.fetch(offer.id)), page.chat.serve]) {
        const error = yield* Effect.flip(failing)
        assert.strictEqual(error._tag === "BlobTransportError" && error.reason, "unavailable")
        assert.match(error.message, /does not send or fetch files/)
      }
      assert.strictEqual(world.broker.stored(keyOf(alice.account.primary)).length, before)
    })
  )

  it.live("needs no network when the client is offline by choice", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* serving(alice)
      const one = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
      const two = yield* alice.chat.share({ file: fileOf(contentOf(20)), with: ["bob"] })
      const offers = [(yield* offerTo(bob, one)).id, (yield* offerTo(bob, two)).id] as const
      yield* fetched(bob, offers[0])
      yield* bob.program.close
      const offline = yield* world.start(bob.device, { offline: true })
      assert.strictEqual((yield* fetched(offline, offers[0])).at(-1)?.state, "complete")
      assert.deepStrictEqual(yield* contentAt(offline, offers[0]), contentOf(10))
      const error = yield* Effect.flip(Stream.runDrain(offline.chat.fetch(offers[1])))
      assert.strictEqual(error._tag, "BrokerUnavailable")
      assert.strictEqual((yield* Effect.flip(offline.chat.serve))._tag, "BrokerUnavailable")
    })
  )
})
