/** Two devices of one account that share, take back and publish. */
import { Effect, Layer } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { FastBlake3, SealedManifest } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { SigchainStore } from "@kez-chat/sdk/services"
import { identityOf, makeWorld, newDevice, twoFriends } from "../../kit/People.ts"
import { entryOf, file, namesIn, published, publishAs } from "../../kit/Publishing.ts"
import { live, type Steered } from "../../kit/SteeredClock.ts"

describe("two devices of one account", () => {
  it.live("find the manifest from the words alone, and know which blobs are on the other device", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.share({ file: file("for bob"), with: ["bob"] })
      yield* alice.chat.share({ file: file("for all"), public: true })
      yield* alice.chat.flush
      yield* alice.program.close
      const other = yield* world.start(newDevice())
      yield* other.chat.restore({ words: alice.words })
      yield* other.event("Shared", ({ share }) => share.name === "for all")
      const shares = yield* other.chat.shared
      assert.deepStrictEqual(shares.map(({ listed, name }) => [name, listed]).sort(), [
        ["for all", "public"],
        ["for bob", "readers"]
      ])
      for (const share of shares) assert.deepInclude(share, { here: false, manifest: "published", readers: [] })
      // What it adds stands beside them, under a higher revision.
      yield* other.chat.addContact("bob")
      yield* other.chat.share({ file: file("more"), with: ["bob"] })
      yield* other.chat.flush
      const listing = yield* bob.chat.browse("alice")
      assert.deepStrictEqual(namesIn(listing), ["for all", "for bob", "more"])
      assert.isAbove(listing.revision, 1)
    })
  )

  it.live("adopt what the other published, even when both publish at once", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const other = yield* world.start(newDevice())
      yield* other.chat.restore({ words: alice.words })
      yield* other.chat.addContact("bob")
      yield* Effect.all(
        [
          Effect.andThen(alice.chat.share({ file: file("a"), with: ["bob"] }), alice.chat.flush),
          Effect.andThen(other.chat.share({ file: file("b"), with: ["bob"] }), other.chat.flush)
        ],
        { concurrency: 2 }
      )
      for (const { chat } of [alice, other]) {
        while ((yield* chat.shared).some(({ manifest }) => manifest === "pending")) yield* chat.flush
      }
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["a", "b"])
      // Each learns of the other's at the latest when it publishes again.
      const more = yield* alice.chat.share({ file: file("c"), with: ["bob"] })
      yield* alice.chat.flush
      yield* published(alice.program, more.id)
      yield* Effect.andThen(other.chat.share({ file: file("d"), with: ["bob"] }), other.chat.flush)
      while ((yield* other.chat.shared).length < 4) yield* other.chat.flush
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["a", "b", "c", "d"])
      // What one takes back is taken back for both, blob and all.
      const theirs = (yield* other.chat.shared).find(({ name }) => name === "c")!
      yield* other.chat.unshare(theirs.id)
      yield* other.event("Unshared", ({ share }) => share.manifest === "none")
      yield* alice.chat.share({ file: file("e"), with: ["bob"] })
      yield* alice.chat.flush
      yield* alice.program.event("Unshared", ({ share }) => share.id === more.id)
      yield* alice.chat.flush
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["a", "b", "d", "e"])
      assert.deepStrictEqual(
        (yield* alice.chat.shared)
          .filter(({ here }) => here)
          .map(({ name }) => name)
          .sort(),
        ["a", "e"]
      )
    })
  )

  it.live("supersede a manifest that was stored but never anchored", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const identity = yield* identityOf(alice.words)
      yield* alice.chat.share({ file: file("one"), with: ["bob"] })
      yield* alice.chat.flush
      const left = yield* SealedManifest.sign(
        identity,
        { revision: 40, createdAt: 0, entries: [] },
        yield* FastBlake3.load
      )
      const bodies = world.home.manifests.get(identity.primary)!
      world.home.manifests.set(identity.primary, [...bodies, left.body])
      const two = yield* alice.chat.share({ file: file("two"), with: ["bob"] })
      yield* alice.chat.flush
      yield* published(alice.program, two.id)
      const listing = yield* bob.chat.browse("alice")
      assert.deepStrictEqual([namesIn(listing), listing.revision], [["one", "two"], 41])
    }).pipe(Effect.provide(NodeCrypto.layer))
  )

  it.live("KEZ-MAN-034 wait for an anchored manifest that the home withholds, and start afresh after a week", () =>
    live(
      Date.now(),
      Effect.fnUntraced(function* (clock: Steered) {
        const world = makeWorld()
        const { alice, bob } = yield* twoFriends(world)
        const identity = yield* identityOf(alice.words)
        const bobs = yield* identityOf(bob.words)
        yield* alice.chat.share({ file: file("one"), with: ["bob"] })
        yield* alice.chat.flush
        // Another device of the account publishes, and the home shows it to nobody.
        const before = world.home.manifests.get(identity.primary)!
        const theirs = yield* entryOf(identity, "theirs", [bobs])
        yield* publishAs(world, identity, 50, [theirs])
        const after = world.home.manifests.get(identity.primary)!
        world.home.manifests.set(identity.primary, before)
        yield* alice.program.close
        const again = yield* world.start(alice.device)
        const { chat } = again
        const two = yield* chat.share({ file: file("two"), with: ["bob"] })
        yield* chat.flush
        const pending = (yield* chat.shared).find(({ id }) => id === two.id)!
        assert.strictEqual(pending.manifest, "pending")
        assert.strictEqual(pending.problem?.code, "manifest_not_found")
        assert.include(pending.problem?.detail, "another device")
        assert.strictEqual(world.home.manifests.get(identity.primary), before)
        assert.include(yield* again.event("PublishingFailed"), { code: "manifest_not_found" })
        // Shown again, it is joined and nothing of it is lost.
        world.home.manifests.set(identity.primary, after)
        yield* chat.flush
        yield* published(again, two.id)
        assert.include(namesIn(yield* bob.chat.browse("alice")), "theirs")
        assert.notProperty(
          (yield* chat.shared).find(({ id }) => id === two.id)!,
          "problem"
        )
        // Another one is gone for good.
        yield* publishAs(world, identity, 60, [])
        world.home.manifests.set(identity.primary, before)
        yield* again.close
        const later = yield* world.start(alice.device)
        const three = yield* later.chat.share({ file: file("three"), with: ["bob"] })
        yield* later.chat.flush
        clock.advance(6 * 86_400_000)
        yield* later.chat.flush
        assert.strictEqual((yield* later.chat.shared).find(({ id }) => id === three.id)!.manifest, "pending")
        clock.advance(86_400_000)
        yield* later.chat.flush
        yield* published(later, three.id)
        const last = yield* bob.chat.browse("alice")
        assert.include(namesIn(last), "three")
        assert.isAbove(last.revision, 1_700_000_000)
      }, Effect.provide(NodeCrypto.layer))
    )
  )
})

describe("two devices that publish and anchor at once", () => {
  it.live("KEZ-MAN-030 merge their lists, whichever was first, and readers find both", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const second = newDevice()
      const other = yield* world.start(second)
      yield* other.chat.restore({ words: alice.words })
      yield* alice.program.close
      // The other device publishes after this one stored its manifest, and before this one's anchor is in the chain.
      let meanwhile: Effect.Effect<unknown, unknown> = Effect.void
      const slow = Layer.effect(
        SigchainStore,
        Effect.map(SigchainStore, (inner) =>
          SigchainStore.of({
            ...inner,
            append: (primary, event) =>
              Effect.gen(function* () {
                const now = meanwhile
                meanwhile = Effect.void
                yield* Effect.orDie(now)
                return yield* inner.append(primary, event)
              })
          })
        )
      ).pipe(Layer.provide(world.home.layer))
      const again = yield* world.start(alice.device, {}, world.broker.layer, Layer.merge(world.home.layer, slow))
      yield* again.chat.flush
      yield* other.chat.flush
      // One day's first anchor goes to the device that waits; the other's additions then need none.
      meanwhile = Effect.gen(function* () {
        yield* other.chat.share({ file: file("b"), public: true })
        world.home.unreachable.add("append")
        yield* other.chat.flush
        world.home.unreachable.delete("append")
      })
      const a = yield* again.chat.share({ file: file("a"), public: true })
      yield* again.chat.flush
      const both = (program: typeof again) =>
        Effect.gen(function* () {
          while ((yield* program.chat.shared).length < 2) yield* program.chat.flush
        })
      yield* Effect.all([both(again), both(other)])
      yield* again.chat.flush
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["a", "b"])
      assert.isTrue((yield* again.chat.shared).find(({ id }) => id === a.id)!.here)
      // What one device adds without an anchor, the other may take back.
      const mine = (yield* other.chat.shared).find(({ name }) => name === "a")!
      yield* other.chat.unshare(mine.id)
      yield* other.chat.flush
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["b"])
      yield* again.chat.share({ file: file("c"), public: true })
      yield* again.chat.flush
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["b", "c"])
      assert.isUndefined((yield* again.chat.shared).find(({ id }) => id === a.id))
    })
  )
})
