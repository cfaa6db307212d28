/** Browsing the manifests of others: fresh, kept, and hostile. */
import { Effect, Layer, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Manifest } from "@kez-chat/sdk/protocol"
import { ManifestStore } from "@kez-chat/sdk/services"
import { codeOf, identityOf, join, makeWorld, newDevice, newWords, twoFriends } from "../../kit/People.ts"
import { anchorIn, appendTo, entryOf, file, namesIn, publishAs } from "../../kit/Publishing.ts"

describe("browsing", () => {
  it.live("shows an empty list where nothing was shared, and knows whose it is", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const listing = yield* bob.chat.browse("alice")
      assert.deepInclude(listing, { revision: 0, source: "home", files: [] })
      assert.strictEqual(listing.owner.primary, alice.account.primary)
      assert.strictEqual(codeOf(yield* Effect.flip(bob.chat.browse("nobody"))), "ContactUnknown")
    })
  )

  it.live("does not fetch an unchanged manifest again, and shows the kept one while nobody answers", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.share({ file: file("one"), with: ["bob"] })
      yield* alice.chat.flush
      const before = yield* bob.chat.browse("alice")
      assert.deepStrictEqual(yield* bob.chat.browse("alice"), before)
      world.home.unreachable.add("fetch")
      assert.deepStrictEqual(yield* bob.chat.browse("alice"), { ...before, source: "kept" })
      world.home.unreachable.clear()
      yield* alice.chat.share({ file: file("two"), with: ["bob"] })
      yield* alice.chat.flush
      world.home.unreachable.add("manifest")
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["one"])
      yield* bob.program.close
      world.home.unreachable.add("fetch")
      const offline = yield* world.start(bob.device, { offline: true })
      assert.deepStrictEqual(namesIn(yield* offline.chat.browse("alice")), ["one"])
      const carol = yield* world.start(newDevice())
      world.home.unreachable.clear()
      yield* carol.chat.create({ handle: "carol", words: newWords() })
      yield* carol.chat.addContact("alice")
      world.home.unreachable.add("manifest")
      assert.strictEqual(codeOf(yield* Effect.flip(carol.chat.browse("alice"))), "ServerUnreachable")
    })
  )

  it.live("shows one's own manifest, and the kept one while nobody answers", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      yield* alice.chat.share({ file: file("one"), with: ["bob"] })
      yield* alice.chat.flush
      const own = yield* alice.chat.browse("alice")
      assert.deepStrictEqual([namesIn(own), own.revision, own.source], [["one"], 1, "home"])
      world.home.unreachable.add("fetch")
      assert.deepStrictEqual(yield* alice.chat.browse("@alice"), { ...own, source: "kept" })
    })
  )

  it.live("a manifest that the home does not have is an outage, not an empty list", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.share({ file: file("one"), with: ["bob"] })
      yield* alice.chat.flush
      const bodies = world.home.manifests.get(alice.account.primary)!
      world.home.manifests.delete(alice.account.primary)
      assert.strictEqual(codeOf(yield* Effect.flip(bob.chat.browse("alice"))), "manifest_not_found")
      world.home.manifests.set(alice.account.primary, bodies)
      yield* bob.chat.browse("alice")
      yield* alice.chat.unshare((yield* alice.chat.shared)[0]!.id)
      yield* alice.chat.flush
      world.home.manifests.set(alice.account.primary, bodies)
      const listing = yield* bob.chat.browse("alice")
      assert.deepStrictEqual([namesIn(listing), listing.source], [["one"], "kept"])
    })
  )
})

describe("hostile manifests", () => {
  it.live("other bytes than the chain names are refused, every single one (KEZ-MAN-010)", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.share({ file: file("one"), with: ["bob"] })
      yield* alice.chat.flush
      const [body] = world.home.manifests.get(alice.account.primary)!
      const lies = Layer.effect(
        ManifestStore,
        Effect.map(ManifestStore, (inner) => {
          const answer = () => Effect.sync(() => lie)
          return ManifestStore.of({ ...inner, byHash: answer, current: answer })
        })
      ).pipe(Layer.provide(world.home.layer))
      let lie = body!
      yield* bob.program.close
      const program = yield* world.start(bob.device, {}, world.broker.layer, Layer.merge(world.home.layer, lies))
      const refusal = Effect.map(Effect.flip(program.chat.browse("alice")), codeOf)
      for (const at of [0, 1, 100, body!.length >> 1, body!.length - 1]) {
        lie = body!.slice()
        lie[at]! ^= 1
        assert.strictEqual(yield* refusal, "manifest_mismatch")
      }
      for (const other of [new Uint8Array(0), body!.slice(1), Bytes.concat(body!, Uint8Array.of(10))]) {
        lie = other
        assert.strictEqual(yield* refusal, "manifest_mismatch")
      }
      lie = body!
      assert.deepStrictEqual(namesIn(yield* program.chat.browse("alice")), ["one"])
    })
  )

  it.live(
    "an older revision, a second one of the same, and none at all are refused once a newer was seen (KEZ-MAN-011)",
    () =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { alice, bob } = yield* twoFriends(world)
        const identity = yield* identityOf(alice.words)
        yield* alice.program.close
        const first = yield* publishAs(world, identity, 1, [yield* entryOf(identity, "first")])
        const second = yield* publishAs(world, identity, 2, [])
        const before = yield* bob.chat.browse("alice")
        assert.strictEqual(before.revision, 2)
        yield* appendTo(world, identity, first.anchor)
        assert.strictEqual(codeOf(yield* Effect.flip(bob.chat.browse("alice"))), "manifest_rollback")
        yield* publishAs(world, identity, 2, [yield* entryOf(identity, "another")])
        assert.strictEqual(codeOf(yield* Effect.flip(bob.chat.browse("alice"))), "manifest_conflict")
        yield* appendTo(world, identity, second.anchor)
        const { owner: _, ...again } = yield* bob.chat.browse("alice")
        assert.deepInclude(before, again)
      }).pipe(Effect.provide(NodeCrypto.layer))
  )

  it.live("a manifest of somebody else is not theirs, and its entries open in no other (KEZ-MAN-009)", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const mallory = yield* join(world, "mallory")
      yield* bob.chat.addContact("mallory")
      yield* mallory.program.close
      yield* alice.chat.share({ file: file("secret"), with: ["bob"] })
      yield* alice.chat.flush
      const identity = yield* identityOf(mallory.words)
      const [body] = world.home.manifests.get(alice.account.primary)!
      const anchor = anchorIn(world, alice.account.primary)!
      world.home.manifests.set(identity.primary, [body!])
      yield* appendTo(world, identity, anchor)
      assert.strictEqual(codeOf(yield* Effect.flip(bob.chat.browse("mallory"))), "manifest_mismatch")
      // Their entries under mallory's signature: bob was their reader, and still reads nothing.
      const { entries } = Result.getOrThrow(Manifest.parseBody(body!)).manifest
      yield* publishAs(world, identity, 2, entries)
      assert.deepStrictEqual((yield* bob.chat.browse("mallory")).files, [])
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["secret"])
    }).pipe(Effect.provide(NodeCrypto.layer))
  )

  it.live("of a contact whose chain was rolled back or forked nothing is shown", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.share({ file: file("one"), with: ["bob"] })
      yield* alice.chat.flush
      yield* bob.chat.browse("alice")
      yield* alice.program.close
      const chain = world.home.chains.get(alice.account.primary)!
      world.home.chains.set(alice.account.primary, chain.slice(0, 2))
      assert.deepInclude(yield* Effect.flip(bob.chat.browse("alice")), { _tag: "FetchBlocked", reason: "changed" })
      // The user goes on all the same: what it no longer names was seen, and does not vanish.
      yield* bob.chat.keepKey("alice")
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["one"])
      world.home.manifests.delete(alice.account.primary)
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["one"])
    })
  )
})
