/** Programs that die at any step of publishing and are started again. */
import * as fc from "fast-check"
import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { checkProperty } from "../../../kits/Property.ts"
import { deathAt, mortal } from "../../kit/Mortal.ts"
import { makeWorld, twoFriends } from "../../kit/People.ts"
import { file } from "../../kit/Publishing.ts"

describe("programs that die while they publish", () => {
  const deaths = fc.array(deathAt(6, "commit", "put", "append"), { maxLength: 4 })
  const actions = fc.array(fc.constantFrom("share", "share", "unshare", "unlisted"), { minLength: 1, maxLength: 5 })

  it.live(
    "never list a file that cannot be fetched, and end as if they had not died",
    () =>
      checkProperty(
        [deaths, actions],
        (deaths, actions) =>
          Effect.gen(function* () {
            const world = makeWorld()
            const { alice, bob } = yield* twoFriends(world)
            yield* alice.program.close
            const { live } = mortal(world, alice.device, deaths)
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
          }).pipe(Effect.scoped, Effect.timeout("60 seconds")),
        { numRuns: 25 }
      ),
    240_000
  )
})
