/** When the chain names a manifest, and manifests of the first format. */
import { Effect, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { FastBlake3 } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Envelope, Limits, Manifest, Sigchain } from "@kez-chat/sdk/protocol"
import { type LocalStore, ManifestStore } from "@kez-chat/sdk/services"
import * as Anchoring from "../../../../src/client/files/share/Anchoring.ts"
import { identityOf, makeWorld, newDevice, twoFriends, type World } from "../../kit/People.ts"
import { anchorIn, appendTo, entryOf, file, namesIn, storeAs } from "../../kit/Publishing.ts"
import { live, type Steered } from "../../kit/SteeredClock.ts"

const day = 24 * 60 * 60 * 1_000

const anchorsIn = (world: World, primary: string) =>
  world.home.chains
    .get(primary)!
    .map((event) => Result.getOrThrow(Sigchain.parseEvent(event)))
    .filter(({ op }) => op === "set_shared_files")

const chainBytes = (world: World, primary: string) =>
  world.home.chains.get(primary)!.reduce((sum, event) => sum + Envelope.encode(event).length + 1, 0)

/** Most anchors of a UTC day. */
const mostOfADay = (world: World, primary: string) => {
  const days = new Map<number, number>()
  for (const { createdAt } of anchorsIn(world, primary)) {
    const day = new Date(createdAt).setUTCHours(0, 0, 0, 0)
    days.set(day, (days.get(day) ?? 0) + 1)
  }
  return Math.max(0, ...days.values())
}

describe("Anchoring", () => {
  const noon = Date.UTC(2026, 4, 25, 12)
  const at = (...times: ReadonlyArray<number>) => times.map((createdAt) => ({ manifest: "", createdAt }))

  it("KEZ-MAN-026 KEZ-MAN-027 KEZ-MAN-033 allows additions the first anchor of a UTC day, and removals all four", () => {
    const today = (count: number) => at(...Array.from({ length: count }, (_, n) => noon - n))
    assert.deepStrictEqual(
      [0, 1, 2, 3, 4, 5].map((count) => [
        Anchoring.isAllowed(today(count), noon, false),
        Anchoring.isAllowed(today(count), noon, true)
      ]),
      [
        [true, true],
        [false, true],
        [false, true],
        [false, true],
        [false, false],
        [false, false]
      ]
    )
    // The day is that of the events, whichever device signed them and in whatever order their clocks are.
    const midnight = noon - day / 2
    assert.isTrue(Anchoring.isAllowed(at(midnight - 1, midnight - 2, midnight - 3, midnight - 4), midnight, false))
    assert.isFalse(Anchoring.isAllowed(at(midnight, noon + day, midnight - 1), midnight + day - 1, false))
  })
})

describe("days of publishing", () => {
  it.live(
    "KEZ-MAN-026 have at most four anchors each, and readers see every change at once",
    () =>
      live(
        Date.UTC(2026, 4, 25, 9),
        Effect.fnUntraced(function* (clock: Steered) {
          const world = makeWorld()
          const { alice, bob } = yield* twoFriends(world)
          const random = (most: number) => Math.floor(Math.random() * most)
          let seen = 0
          let program = alice.program
          for (let n = 0; n < 150; n++) {
            if (n % 10 === 9) clock.advance(day / 2 + random(day))
            if (n % 25 === 24) {
              yield* program.close
              program = yield* world.start(alice.device)
            }
            const shares = yield* program.chat.shared
            if (shares.length > 2 && random(2) === 0) yield* program.chat.unshare(shares[random(shares.length)]!.id)
            else yield* program.chat.share({ file: file(`f${n}`), public: true })
            yield* program.chat.flush
            const listing = yield* bob.chat.browse("alice")
            assert.isAbove(listing.revision, seen)
            assert.strictEqual(listing.source, "home")
            seen = listing.revision
            assert.deepStrictEqual(namesIn(listing), (yield* program.chat.shared).map(({ name }) => name).sort())
          }
          assert.strictEqual(mostOfADay(world, alice.account.primary), 4)
          // 150 events would have 105 KB.
          assert.isBelow(chainBytes(world, alice.account.primary), 60_000)
          assert.isAtMost(world.home.manifests.get(alice.account.primary)!.length, Limits.manifestsKept + 1)
        })
      ),
    120_000
  )

  it.live("KEZ-MAN-027 anchor on the next day, by themselves, what exceeded the anchors of a day", () =>
    live(
      Date.UTC(2026, 4, 25, 23),
      Effect.fnUntraced(function* (clock: Steered) {
        const world = makeWorld()
        const { alice } = yield* twoFriends(world)
        const { primary } = alice.account
        for (let n = 0; n < 6; n++) yield* alice.chat.share({ file: file(`f${n}`), public: true })
        yield* alice.chat.flush
        assert.strictEqual(anchorsIn(world, primary).length, 1)
        yield* alice.chat.share({ file: file("more"), public: true })
        yield* alice.chat.flush
        assert.strictEqual(anchorsIn(world, primary).length, 1)
        for (let n = 1; n <= 5; n++) {
          yield* alice.chat.unshare((yield* alice.chat.shared)[0]!.id)
          yield* alice.chat.flush
          assert.strictEqual(anchorsIn(world, primary).length, Math.min(1 + n, 4))
        }
        yield* alice.program.close
        clock.advance(2 * day)
        const again = yield* world.start(alice.device)
        yield* again.chat.flush
        assert.strictEqual(anchorsIn(world, primary).length, 5)
        const newest = world.home.manifests.get(primary)!.at(-1)!
        assert.strictEqual(anchorIn(world, primary)!.manifest, Manifest.hashOf(newest, yield* FastBlake3.load))
        // Two devices have the same four.
        const other = yield* world.start(newDevice())
        yield* other.chat.restore({ words: alice.words })
        yield* other.event("Shared")
        for (const { chat } of [again, other, again, other, again, other]) {
          yield* chat.share({ file: file("x"), public: true })
          yield* chat.flush
          const mine = (yield* chat.shared).find(({ here, name }) => here && name === "x")!
          yield* chat.unshare(mine.id)
          yield* chat.flush
        }
        assert.strictEqual(anchorsIn(world, primary).length, 8)
        assert.strictEqual(mostOfADay(world, primary), 4)
      })
    )
  )
})

describe("manifests and events of the first format", () => {
  /** As it was before anchors: no `anchored`, no `revision`, and the rows that the client kept then. */
  const legacy = Effect.fnUntraced(function* (
    world: World,
    words: Parameters<typeof identityOf>[0],
    store: LocalStore["Service"]
  ) {
    const identity = yield* identityOf(words)
    const entry = yield* entryOf(identity, "old")
    const { anchor, body } = yield* storeAs(world, identity, 3, [entry])
    const { manifest, size } = anchor
    yield* appendTo(world, identity, { manifest, size })
    const json = (value: unknown) => Bytes.utf8(JSON.stringify(value))
    const rows: ReadonlyArray<readonly [string, Uint8Array]> = [
      [
        "manifest",
        json({ revision: 3, changes: 2, included: 2, base: manifest, body: { manifest, size, state: "anchored" } })
      ],
      ["manifestBody", body],
      [`browsed/${identity.key.hex}`, json({ revision: 3, hash: manifest, createdAt: 0 })],
      [`browsedBody/${identity.key.hex}`, body],
      [`entry/${entry.id}`, Manifest.encodeEntry(entry)]
    ]
    yield* store.commit(rows.map(([key, value]) => ({ op: "put" as const, key, value })))
    return { identity, anchor: { manifest, size } }
  })

  it.live("KEZ-MAN-031 are read, followed and superseded", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.program.close
      const { anchor, identity } = yield* legacy(world, alice.words, alice.device.store)
      assert.deepInclude(yield* bob.chat.browse("alice"), { revision: 3, source: "home" })
      const again = yield* world.start(alice.device)
      yield* again.chat.flush
      assert.strictEqual(world.home.manifests.get(identity.primary)!.length, 1)
      yield* again.chat.share({ file: file("new"), public: true })
      yield* again.chat.flush
      const newest = Result.getOrThrow(Manifest.parseBody(world.home.manifests.get(identity.primary)!.at(-1)!)).manifest
      assert.deepInclude(newest, { revision: 4, anchored: anchor.manifest })
      assert.strictEqual(newest.entries.length, 2)
      const listing = yield* bob.chat.browse("alice")
      assert.deepStrictEqual([namesIn(listing), listing.revision], [["new"], 4])
      // Its event was the first of the day; what is taken back is anchored all the same, now with its revision.
      assert.deepStrictEqual(anchorIn(world, identity.primary), anchor)
      yield* again.chat.unshare((yield* again.chat.shared)[0]!.id)
      yield* again.chat.flush
      assert.strictEqual(anchorIn(world, identity.primary)!.revision, 5)
      // A reader of the first format takes what the chain names, and nothing else: it is there.
      const named = anchorIn(world, identity.primary)!
      yield* again.chat.share({ file: file("more"), public: true })
      yield* again.chat.flush
      const store = yield* Effect.provide(ManifestStore, world.home.layer)
      assert.strictEqual((yield* store.byHash(identity.primary, named.manifest)).length, named.size)
    }).pipe(Effect.provide(NodeCrypto.layer))
  )

  it.live("KEZ-MAN-031 remove nothing when they were stored but never anchored, and are superseded", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.share({ file: file("mine"), public: true })
      yield* alice.chat.flush
      const identity = yield* identityOf(alice.words)
      yield* storeAs(world, identity, 7, [yield* entryOf(identity, "theirs")])
      assert.deepStrictEqual(namesIn(yield* bob.chat.browse("alice")), ["mine"])
      yield* alice.chat.share({ file: file("more"), public: true })
      yield* alice.chat.flush
      const listing = yield* bob.chat.browse("alice")
      assert.deepStrictEqual([namesIn(listing), listing.revision], [["mine", "more"], 8])
      assert.deepStrictEqual(namesIn(yield* alice.chat.browse("alice")), ["mine", "more", "theirs"])
    }).pipe(Effect.provide(NodeCrypto.layer))
  )
})
