/** Publishing the own manifest: revisions, what is published when, and what is too large. */
import { Effect, Option } from "effect"
import { assert, describe, it } from "@effect/vitest"
import type { FileSource } from "@kez-chat/sdk"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Envelope, Limits, Manifest } from "@kez-chat/sdk/protocol"
import { createHash } from "node:crypto"
import { codeOf, identityOf, join, makeWorld, twoFriends } from "../../kit/People.ts"
import { anchorIn, append, entryOf, file, namesIn, operations, published } from "../../kit/Publishing.ts"

describe("publishing", () => {
  it.live("shows readers every publication and keeps the anchored manifest available (KEZ-MAN-012)", () =>
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

  it.live("publishes nothing newer until a signed anchor is known to be in the chain", () =>
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

  it.live("keeps the end of the chain for essential events, says so, and goes on publishing", () =>
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

  it.live(
    "KEZ-MAN-023 combines simultaneous changes into one revision, and those of the next ten seconds into another",
    () =>
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
    it.live(`goes on after the answer to ${step} was lost, without a new revision`, () =>
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

  it.live("announces a new head in offers, and the readers' chain check finds it", () =>
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

describe("the size of a manifest", () => {
  it.live("allows a thousand files with one reader each; a file that does not fit is refused before it is read", () =>
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

describe("lists that cannot be published", () => {
  it.live("KEZ-MAN-032 say why, and are published once they can be", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const bob = yield* join(world, "bob")
      yield* bob.chat.addContact("alice")
      const identity = yield* identityOf(alice.words)
      yield* alice.program.close
      // Two devices share so much that both lists together have no room; sealing is slow, so one entry stands for all.
      const entry = yield* entryOf(identity, "much")
      const ids = Array.from({ length: Math.ceil(Limits.manifestBytes / Manifest.encodeEntry(entry).length) }, (_, n) =>
        Bytes.toBase64Url(new Uint8Array(16).fill(n >> 8, 0, 8).fill(n & 255, 8))
      )
      yield* alice.device.store.commit([
        ...ids.map((id) => ({ op: "put" as const, key: `entry/${id}`, value: Manifest.encodeEntry({ ...entry, id }) })),
        { op: "put", key: "manifest", value: Bytes.utf8(JSON.stringify({ revision: 0, changes: 1, included: 0 })) }
      ])
      const again = yield* world.start(alice.device)
      const { detail } = yield* again.event("PublishingFailed", ({ code }) => code === "too_large")
      assert.include(detail, "unshare files")
      yield* again.chat.flush
      assert.strictEqual(again.events.filter(({ _tag }) => _tag === "PublishingFailed").length, 1)
      assert.strictEqual((yield* bob.chat.browse("alice")).revision, 0)
      yield* again.close
      yield* alice.device.store.commit(ids.slice(1).map((id) => ({ op: "delete", key: `entry/${id}` })))
      const smaller = yield* world.start(alice.device)
      yield* smaller.chat.flush
      assert.strictEqual((yield* bob.chat.browse("alice")).revision, 1)
      const row = JSON.parse(
        new TextDecoder().decode(Option.getOrThrow(yield* alice.device.store.get("manifest")))
      ) as object
      assert.notProperty(row, "problem")
    }).pipe(Effect.provide(NodeCrypto.layer))
  )
})
