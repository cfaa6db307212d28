/** Readers whom no home leads back behind a manifest that they have seen. */
import * as fc from "fast-check"
import { Effect, Layer, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Manifest, Sigchain } from "@kez-chat/sdk/protocol"
import { ManifestStore, ServerUnreachable, SigchainStore } from "@kez-chat/sdk/services"
import { checkProperty } from "../../../kits/Property.ts"
import { identityOf, makeWorld, twoFriends, type World } from "../../kit/People.ts"
import { appendTo, entryOf, publishAs, storeAs } from "../../kit/Publishing.ts"

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

  it.live(
    "KEZ-MAN-024 KEZ-MAN-025 KEZ-MAN-029 are led back by no home, whatever it withholds, replays and forks",
    () =>
      checkProperty(
        [
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
          )
        ],
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
          }).pipe(Effect.scoped, Effect.provide(NodeCrypto.layer), Effect.timeout("60 seconds")),
        { numRuns: 60 }
      ),
    120_000
  )

  it.live("KEZ-MAN-025 fetch the chain once more when the owner anchored between their two requests", () =>
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
