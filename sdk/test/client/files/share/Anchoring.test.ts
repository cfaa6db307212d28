/** When the chain names a manifest, what readers take besides, and that nobody can lead them back. */
import * as fc from "fast-check"
import { Effect, Layer, Option, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { FastBlake3 } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Envelope, Limits, Manifest, Sigchain } from "@kez-chat/sdk/protocol"
import { type LocalStore, ManifestStore, ServerUnreachable, SigchainStore } from "@kez-chat/sdk/services"
import * as Anchoring from "../../../../src/client/files/share/Anchoring.ts"
import { identityOf, join, makeWorld, newDevice, twoFriends, type World } from "../../kit/People.ts"
import { anchorIn, appendTo, entryOf, file, namesIn, publishAs, storeAs } from "../../kit/Publishing.ts"
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

  it("KEZ-MAN-026 KEZ-MAN-027 KEZ-MAN-033 gives additions the first of a UTC day, and what is taken back all four", () => {
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
    "KEZ-MAN-026 take four anchors each at the most, and readers see every change at once",
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

  it.live("KEZ-MAN-027 what no anchor was left for is anchored the next day, by itself", () =>
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

describe("readers", () => {
  /** A store of manifests and chains that answers as it likes. */
  const hostile = (world: World, answer: Pick<ManifestStore["Service"], "current" | "byHash">, length: () => number) =>
    Layer.merge(
      world.home.layer,
      Layer.merge(
        Layer.effect(
          ManifestStore,
          Effect.map(ManifestStore, (inner) => ManifestStore.of({ ...inner, ...answer }))
        ),
        Layer.effect(
          SigchainStore,
          Effect.map(SigchainStore, (inner) =>
            SigchainStore.of({
              ...inner,
              fetch: (primary, since) =>
                Effect.map(inner.fetch(primary, since), (events) => events.slice(0, length() - (since ?? 0)))
            })
          )
        )
      ).pipe(Layer.provide(world.home.layer))
    )

  it(
    "KEZ-MAN-024 KEZ-MAN-025 KEZ-MAN-029 are led back by no home, whatever it withholds, replays and forks",
    { timeout: 120_000 },
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({ what: fc.constantFrom("publish", "publish", "anchor", "fork"), anchored: fc.boolean() }),
            { minLength: 2, maxLength: 8 }
          ),
          fc.array(
            fc.record({
              chain: fc.nat(20),
              newest: fc.nat(20),
              byHash: fc.nat(20),
              flip: fc.nat(12),
              restart: fc.nat(4)
            }),
            { minLength: 3, maxLength: 12 }
          ),
          (steps, looks) =>
            Effect.gen(function* () {
              const world = makeWorld()
              const { alice, bob } = yield* twoFriends(world)
              yield* alice.program.close
              yield* bob.program.close
              const identity = yield* identityOf(alice.words)
              const begun = world.home.chains.get(identity.primary)!.length
              const bodies: Array<{ body: Uint8Array; hash: string; revision: number }> = []
              const anchors: Array<Sigchain.SharedFiles> = []
              let revision = 0
              for (const { anchored, what } of steps) {
                if (what !== "fork" || revision === 0) revision += 1
                const follows = anchors.at(-1)?.manifest
                const entry = yield* entryOf(identity, `${"n".repeat(bodies.length + 1)}`)
                const { anchor, body } = yield* storeAs(world, identity, revision, [entry], follows)
                bodies.push({ body, hash: anchor.manifest, revision })
                if (what !== "anchor") continue
                const { revision: _, ...old } = anchor
                const payload = anchored ? anchor : old
                anchors.push(payload)
                yield* appendTo(world, identity, payload)
              }
              let look = looks[0]!
              const answer = (n: number) =>
                Effect.suspend(() => {
                  const found = bodies[n % (bodies.length + 1)]
                  if (found === undefined)
                    return Effect.fail(new ServerUnreachable({ url: "memory://", detail: "withheld" }))
                  const body = found.body.slice()
                  if (look.flip === 0) body[n % body.length]! ^= 1
                  return Effect.succeed(body)
                })
              let length = begun
              const layer = hostile(
                world,
                {
                  current: (_, held) =>
                    look.newest === 20 && held !== undefined ? Effect.succeed(undefined) : answer(look.newest),
                  byHash: (_, hash) =>
                    look.byHash < 10 ? answer(bodies.findIndex((one) => one.hash === hash)) : answer(look.byHash)
                },
                () => length
              )
              let program = yield* world.start(bob.device, {}, world.broker.layer, layer)
              let seen = { revision: 0, files: "" }
              for (look of looks) {
                if (look.restart === 0) {
                  yield* program.close
                  program = yield* world.start(bob.device, {}, world.broker.layer, layer)
                }
                // A shorter chain than one shown before is an alarm of its own, so what is withheld are the newest
                // events.
                length = Math.min(begun + anchors.length, Math.max(length, begun + (look.chain % (anchors.length + 1))))
                const shown = yield* Effect.result(program.chat.browse("alice"))
                if (Result.isFailure(shown)) continue
                const { files, revision, source } = shown.success
                assert.isAtLeast(revision, seen.revision)
                const now = JSON.stringify(files.map(({ id }) => id))
                if (revision === 0) continue
                if (revision === seen.revision) assert.strictEqual(now, seen.files)
                const made = bodies.filter((one) => one.revision === revision)
                assert.isNotEmpty(made)
                // What is new to the reader holds against the chain they were shown.
                if (revision > seen.revision) {
                  assert.strictEqual(source, "home")
                  const named = anchors[length - begun - 1]?.manifest
                  const holds = made.some(({ body, hash }) => {
                    const { anchored } = Result.getOrThrow(Manifest.parseBody(body)).manifest
                    return hash === named || anchored === named
                  })
                  assert.isTrue(holds)
                }
                seen = { revision, files: now }
              }
            }).pipe(Effect.scoped, Effect.provide(NodeCrypto.layer), Effect.timeout("60 seconds"), Effect.runPromise)
        ),
        { numRuns: 60 }
      )
  )

  it.live("KEZ-MAN-025 ask for the chain once more when the owner anchored between their questions", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const identity = yield* identityOf(alice.words)
      yield* alice.program.close
      const { anchor } = yield* publishAs(world, identity, 1, [yield* entryOf(identity, "one")])
      yield* bob.program.close
      let asked = 0
      const between = Layer.effect(
        ManifestStore,
        Effect.map(ManifestStore, (inner) =>
          ManifestStore.of({
            ...inner,
            current: (...args) =>
              Effect.gen(function* () {
                if (++asked > 1) return yield* inner.current(...args)
                const two = yield* publishAs(world, identity, 2, [], anchor.manifest)
                const entry = yield* entryOf(identity, "three")
                yield* storeAs(world, identity, 3, [entry], two.anchor.manifest)
                return yield* inner.current(...args)
              }).pipe(Effect.provide(NodeCrypto.layer), Effect.orDie)
          })
        )
      ).pipe(Layer.provide(world.home.layer))
      const program = yield* world.start(bob.device, {}, world.broker.layer, Layer.merge(world.home.layer, between))
      const fetched = world.home.calls.get("fetch")!
      const listing = yield* program.chat.browse("alice")
      assert.strictEqual(listing.revision, 3)
      assert.isAtLeast(world.home.calls.get("fetch")!, fetched + 2)
      // Where that is no help, the anchor is taken.
      yield* storeAs(world, identity, 9, [], `blake3:${"ab".repeat(32)}`)
      yield* publishAs(world, identity, 4, [], `blake3:${"ab".repeat(32)}`)
      yield* storeAs(world, identity, 10, [], `blake3:${"cd".repeat(32)}`)
      assert.strictEqual((yield* program.chat.browse("alice")).revision, 4)
    }).pipe(Effect.provide(NodeCrypto.layer))
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

  it.live("KEZ-MAN-031 are read, followed and surpassed", () =>
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

  it.live("KEZ-MAN-031 one that was stored, and whose event never came, takes nothing away and is surpassed", () =>
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

describe("two devices that publish and anchor at once", () => {
  it.live("KEZ-MAN-030 find each other, whoever was first, and readers find both", () =>
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

describe("lists that cannot be published", () => {
  it.live("KEZ-MAN-032 say why, and go out once they can", () =>
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
