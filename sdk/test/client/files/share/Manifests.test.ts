/** The own manifest on its way to readers, and the manifests of others, whoever hands them out. */
import * as fc from "fast-check"
import { Deferred, Effect, Exit, Layer, Result, Scope } from "effect"
import { assert, describe, it } from "@effect/vitest"
import type { FileSource } from "@kez-chat/sdk"
import { FastBlake3, SealedManifest } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Envelope, Limits, Manifest } from "@kez-chat/sdk/protocol"
import {
  BlobStore,
  LocalStore,
  ManifestStore,
  ServerUnreachable,
  SigchainStore,
  StoreError
} from "@kez-chat/sdk/services"
import { createHash } from "node:crypto"
import {
  type Device,
  identityOf,
  join,
  makeWorld,
  newDevice,
  newWords,
  type Program,
  twoFriends,
  type World
} from "../../kit/People.ts"
import {
  anchorIn,
  append,
  appendTo,
  codeOf,
  entryOf,
  file,
  namesIn,
  operations,
  published,
  publishAs
} from "../../kit/Publishing.ts"
import { live, type Steered } from "../../kit/SteeredClock.ts"

describe("publishing", () => {
  it.live("shows readers every publication, and leaves the anchor where they find it (KEZ-MAN-012)", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.share({ file: file("first"), with: ["bob"] })
      yield* alice.chat.flush
      const anchor = anchorIn(world, alice.account.primary)!
      world.home.unreachable.add("append")
      for (const name of ["second", "third", "fourth", "fifth", "sixth", "seventh"]) {
        const share = yield* alice.chat.share({ file: file(name), with: ["bob"] })
        yield* alice.chat.flush
        yield* published(alice.program, share.id)
      }
      assert.deepStrictEqual(anchorIn(world, alice.account.primary), anchor)
      assert.strictEqual(world.home.manifests.get(alice.account.primary)!.length, Limits.manifestsKept + 1)
      const listing = yield* bob.chat.browse("alice")
      assert.deepStrictEqual(namesIn(listing), ["fifth", "first", "fourth", "second", "seventh", "sixth", "third"])
      assert.deepStrictEqual([listing.source, listing.revision], ["home", 7])
    })
  )

  it.live("publishes nothing beyond a manifest whose anchor is signed and not yet known to be in the chain", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const first = yield* alice.chat.share({ file: file("first"), with: ["bob"] })
      yield* alice.chat.flush
      world.home.unreachable.add("append")
      yield* alice.chat.unshare(first.id)
      yield* alice.chat.flush
      assert.deepStrictEqual((yield* bob.chat.browse("alice")).files, [])
      for (const name of ["second", "third", "fourth", "fifth", "sixth", "seventh"]) {
        yield* alice.chat.share({ file: file(name), with: ["bob"] })
        yield* alice.chat.flush
      }
      assert.deepInclude(yield* bob.chat.browse("alice"), { revision: 2, source: "home", files: [] })
      assert.strictEqual((yield* alice.chat.shared)[0]!.manifest, "pending")
      yield* alice.program.close
      world.home.unreachable.clear()
      const again = yield* world.start(alice.device)
      yield* again.chat.flush
      assert.strictEqual(anchorIn(world, alice.account.primary)!.revision, 2)
      const listing = yield* bob.chat.browse("alice")
      assert.deepStrictEqual(namesIn(listing), ["fifth", "fourth", "second", "seventh", "sixth", "third"])
      assert.strictEqual(listing.revision, 3)
    })
  )

  it.live("leaves the last of the chain to what an account cannot do without, says so, and goes on publishing", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const identity = yield* identityOf(alice.words)
      const note = "x".repeat(60 * 1024)
      const size = () =>
        world.home.chains.get(identity.primary)!.reduce((sum, event) => sum + Envelope.encode(event).length + 1, 0)
      while (size() + 61 * 1024 < Limits.chainBytes - Limits.chainReserve) {
        yield* append(world, identity, { op: "add_device", payload: { note } })
      }
      yield* append(world, identity, {
        op: "add_device",
        payload: { note: "x".repeat(Limits.chainBytes - Limits.chainReserve - size() - 700) }
      })
      const before = size()
      yield* alice.chat.share({ file: file("late.txt"), with: ["bob"] })
      yield* alice.chat.flush
      assert.strictEqual(size(), before)
      const { detail } = yield* alice.program.event("PublishingFailed", ({ code }) => code === "chain_full")
      const [share] = yield* alice.chat.shared
      assert.deepInclude(share, { manifest: "published", problem: { code: "chain_full", detail } })
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["late.txt"])
      yield* alice.chat.unshare(share!.id)
      yield* alice.chat.flush
      assert.deepStrictEqual((yield* bob.chat.browse("alice")).files, [])
      assert.strictEqual(alice.program.events.filter(({ _tag }) => _tag === "PublishingFailed").length, 1)
    })
  )

  it.live("KEZ-MAN-023 puts changes that come together into one revision, and the next ten seconds into the next", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const shares = []
      for (let i = 0; i < 10; i++) shares.push(yield* alice.chat.share({ file: file(`f${i}`), with: ["bob"] }))
      for (const { id } of shares) yield* published(alice.program, id)
      const before = operations(world, alice.account.primary).length
      const { createdAt, revision } = yield* bob.chat.browse("alice")
      assert.isAtMost(revision, 2)
      for (let i = 0; i < 3; i++) {
        yield* alice.chat.share({ file: file(`g${i}`), public: true })
        yield* Effect.sleep(400)
      }
      yield* alice.program.event("Shared", ({ share }) => share.name === "g2" && share.manifest === "published")
      const next = yield* bob.chat.browse("alice")
      assert.strictEqual(next.revision, revision + 1)
      assert.isAtLeast(next.createdAt!, createdAt! + 9_000)
      // Nothing changed, so nothing is published again.
      yield* alice.program.close
      const again = yield* world.start(alice.device)
      yield* again.chat.sync
      yield* again.chat.browse("alice")
      yield* again.chat.flush
      assert.strictEqual(operations(world, alice.account.primary).length, before)
    })
  )

  for (const step of ["putManifest", "append", "fetch"] as const) {
    it.live(`goes on after the answer to ${step} was lost, without another revision`, () =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { alice, bob } = yield* twoFriends(world)
        world.home.loseAnswer.set(step, 1)
        const share = yield* alice.chat.share({ file: file("once"), with: ["bob"] })
        yield* published(alice.program, share.id)
        yield* alice.chat.flush
        const listing = yield* bob.chat.browse("alice")
        assert.strictEqual(listing.revision, 1)
        assert.deepStrictEqual(operations(world, alice.account.primary), [
          "add_endpoint",
          "add_endpoint",
          "set_shared_files"
        ])
      })
    )
  }

  it.live("tells readers of a new head by the offers, and their chain check finds it", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const share = yield* alice.chat.share({ file: file("one"), with: ["bob"] })
      yield* published(alice.program, share.id)
      yield* alice.chat.send("bob", "after")
      const head = (yield* alice.chat.verification("alice")).head!
      yield* bob.program.event("Contact", ({ contact }) => contact.head?.hash === head.hash)
      assert.strictEqual(head.seq, 2)
    })
  )
})

type Step = "commit" | "put" | "append"

interface Death {
  readonly step: Step
  readonly at: number
  readonly after: boolean
}

/** A device whose program dies at planned steps and is started again, until no death is left. */
const mortal = (world: World, device: Device, deaths: ReadonlyArray<Death>) => {
  let starts = 0
  return <A>(use: (program: Program) => Effect.Effect<A, unknown>) =>
    Effect.gen(function* () {
      while (true) {
        const death = deaths[starts++]
        const died = yield* Deferred.make<void>()
        let count = 0
        let isDead = false
        const perhaps = <B, E, R>(step: Step, effect: Effect.Effect<B, E, R>, dead: E): Effect.Effect<B, E, R> =>
          Effect.suspend(() => {
            if (isDead) return Effect.fail(dead)
            if (death?.step !== step || ++count < death.at) return effect
            isDead = true
            const last = death.after ? Effect.exit(effect) : Effect.void
            return Effect.andThen(last, Effect.andThen(Deferred.succeed(died, undefined), Effect.fail(dead)))
          })
        const gone = new ServerUnreachable({ url: "memory://", detail: "the program is dead" })
        const noStore = new StoreError({ reason: "io", detail: "the program is dead" })
        const store = LocalStore.of({
          ...device.store,
          commit: (writes) => perhaps("commit", device.store.commit(writes), noStore)
        })
        const blobs = BlobStore.of({
          ...device.blobs,
          remove: (hash) => Effect.suspend(() => (isDead ? Effect.void : device.blobs.remove(hash)))
        })
        const home = Layer.mergeAll(
          world.home.layer,
          Layer.effect(
            ManifestStore,
            Effect.map(ManifestStore, (inner) =>
              ManifestStore.of({ ...inner, put: (who, body) => perhaps("put", inner.put(who, body), gone) })
            )
          ).pipe(Layer.provide(world.home.layer)),
          Layer.effect(
            SigchainStore,
            Effect.map(SigchainStore, (inner) =>
              SigchainStore.of({ ...inner, append: (who, event) => perhaps("append", inner.append(who, event), gone) })
            )
          ).pipe(Layer.provide(world.home.layer))
        )
        const scope = yield* Scope.make()
        const starting = Scope.provide(world.start({ ...device, store, blobs }, {}, world.broker.layer, home), scope)
        const done = yield* Effect.raceFirst(
          Effect.flatMap(starting, (program) => Effect.map(use(program), (value) => ({ value }))).pipe(
            Effect.catch((error) => (isDead ? Effect.never : Effect.fail(error)))
          ),
          Effect.as(Deferred.await(died), undefined)
        )
        yield* Scope.close(scope, Exit.void)
        if (done !== undefined) return done.value
      }
    })
}

describe("programs that die while they publish", () => {
  const death = fc.record({
    step: fc.constantFrom<Step>("commit", "put", "append"),
    at: fc.integer({ min: 1, max: 6 }),
    after: fc.boolean()
  })
  const action = fc.constantFrom("share", "share", "unshare", "unlisted")

  it("never promise what cannot be had, and end where they would have ended", { timeout: 240_000 }, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(death, { maxLength: 4 }),
        fc.array(action, { minLength: 1, maxLength: 5 }),
        (deaths, actions) =>
          Effect.gen(function* () {
            const world = makeWorld()
            const { alice, bob } = yield* twoFriends(world)
            yield* alice.program.close
            const live = mortal(world, alice.device, deaths)
            let highest = 0
            // At every moment somebody may look: what the chain names is there, and its revision never falls.
            const look = Effect.gen(function* () {
              const listing = yield* bob.chat.browse("alice")
              assert.strictEqual(listing.source, "home")
              assert.isAtLeast(listing.revision, highest)
              highest = listing.revision
              return listing
            })
            let next = 0
            yield* live(({ chat }) =>
              Effect.gen(function* () {
                while (next < actions.length) {
                  yield* look
                  const what = actions[next++]!
                  if (what === "unshare") {
                    const [share] = yield* chat.shared
                    if (share !== undefined) yield* chat.unshare(share.id)
                  } else {
                    yield* chat.share({ file: file(`f${next}`), with: ["bob"], unlisted: what === "unlisted" })
                  }
                }
                yield* chat.flush
              })
            )
            const shared = yield* live(({ chat }) =>
              Effect.gen(function* () {
                // What was taken back is forgotten once the chain promises it no more; orphans go at the start.
                const unfinished = Effect.gen(function* () {
                  const shared = yield* chat.shared
                  const rows = yield* alice.device.store.scan({ prefix: "share/" })
                  const blobs = yield* alice.device.blobs.list
                  const isPending = shared.some(({ manifest }) => manifest === "pending")
                  return isPending || rows.length !== shared.length || blobs.length !== shared.length
                })
                while (yield* unfinished) yield* Effect.andThen(chat.flush, Effect.sleep(1))
                return yield* chat.shared
              })
            )
            const listed = shared.filter(({ listed }) => listed === "readers").map(({ id }) => id)
            assert.deepStrictEqual((yield* look).files.map(({ id }) => id).sort(), listed.sort())
            assert.deepStrictEqual(
              (yield* alice.device.blobs.list).map(({ hash }) => `blake3:${hash}`).sort(),
              shared.map(({ blobHash }) => blobHash).sort()
            )
            assert.isTrue(shared.every(({ here }) => here))
          }).pipe(Effect.scoped, Effect.timeout("60 seconds"), Effect.runPromise)
      ),
      { numRuns: 25 }
    )
  )
})

describe("two devices of one account", () => {
  it.live("find the manifest again from the words, and know which bytes are elsewhere", () =>
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

  it.live("take over what the other published, also when both did at once", () =>
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

  it.live("surpass a manifest that was stored and never named", () =>
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

  it.live("KEZ-MAN-034 wait for an anchored manifest that the home does not show, and begin anew after a week", () =>
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

describe("browsing", () => {
  it.live("shows nothing where nothing was shared, and knows whom it is asked about", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const listing = yield* bob.chat.browse("alice")
      assert.deepInclude(listing, { revision: 0, source: "home", files: [] })
      assert.strictEqual(listing.owner.primary, alice.account.primary)
      assert.strictEqual(codeOf(yield* Effect.flip(bob.chat.browse("nobody"))), "ContactUnknown")
    })
  )

  it.live("fetches a manifest that did not change no second time, and shows the kept one while nobody answers", () =>
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

describe("the size of a manifest", () => {
  it.live("a thousand files for one of fifty readers each fit; what does not fit is refused before it is read", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const identity = yield* identityOf(alice.words)
      const reader = yield* identityOf(bob.words)
      yield* alice.program.close
      // Sealing takes a millisecond a reader, so one entry stands for all: only their sizes matter here.
      const entry = yield* entryOf(identity, "holiday-photo-0001.jpg", [reader])
      const bytes = Manifest.encodeEntry(entry).length
      const fit = Math.floor(Limits.manifestBytes / (bytes + 1))
      assert.isAtLeast(fit, 1_000)
      const put = (count: number) =>
        Effect.forEach(
          Array.from({ length: count }, (_, i) => i),
          (i) => {
            const id = Bytes.toBase64Url(createHash("sha256").update(String(i)).digest().subarray(0, 16))
            const value = Manifest.encodeEntry({ ...entry, id })
            return alice.device.store.commit([{ op: "put", key: `entry/${id}`, value }])
          },
          { discard: true }
        )
      yield* put(1_000)
      const again = yield* world.start(alice.device)
      const share = yield* again.chat.share({ file: file("one more"), with: ["bob"] })
      yield* published(again, share.id)
      const listing = yield* bob.chat.browse("alice")
      assert.deepStrictEqual(namesIn(listing), ["one more"])
      yield* again.close
      yield* put(fit - 1)
      const full = yield* world.start(alice.device)
      let read = 0
      const unread: FileSource = {
        name: "no more",
        bytes: (async function* () {
          read += 1
          yield Bytes.utf8("bytes")
        })()
      }
      const error = yield* Effect.flip(full.chat.share({ file: unread, with: ["bob"] }))
      assert.strictEqual(codeOf(error), "too_large")
      assert.include(error.message, "share it unlisted")
      assert.strictEqual(read, 0)
      const unlisted = yield* full.chat.share({ file: file("no more"), with: ["bob"], unlisted: true })
      assert.strictEqual(unlisted.manifest, "none")
    }).pipe(Effect.provide(NodeCrypto.layer))
  )
})
