/** What every BlobStore must do whose files can go bad. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as fc from "fast-check"
import { FastBlake3 } from "@kez-chat/sdk/crypto"
import { checkProperty } from "../Property.ts"
import { blobOf, groups, missing } from "./ArrivingBlobs.ts"
import { type BlobPlace, feed, group, readAll, step } from "./StoringBlobs.ts"

/** A place whose files can go bad. */
export interface DamageablePlace<E> extends BlobPlace<E> {
  /** Flips a bit or cuts something off, somewhere in what is stored; `at` from 0 to 1 says where. */
  readonly damage: (at: number) => void
}

export const damagedBlobStoreKit = <E>(
  name: string,
  place: Effect.Effect<DamageablePlace<E>, never, Scope.Scope>
): void => {
  describe(`BlobStore, damaged: ${name}`, () => {
    it.live("believes no damaged bytes, and gets whole again", () =>
      checkProperty(
        [
          fc.array(fc.record({ step, damage: fc.array(fc.double({ min: 0, max: 1, noNaN: true })) }), {
            minLength: 1,
            maxLength: 6
          }),
          fc.integer({ min: 1, max: 40 * group })
        ],
        (rounds, size) =>
          Effect.gen(function* () {
            const { damage, open } = yield* place
            const blob = blobOf(size, size, yield* FastBlake3.load)
            for (const { damage: places, step } of rounds) {
              yield* Effect.scoped(
                Effect.gen(function* () {
                  const partial = yield* (yield* open).resume(blob.hash, size)
                  yield* feed(partial, blob, groups(step.start, step.start + step.count), step.batch)
                })
              )
              for (const at of places) damage(at)
            }
            const store = yield* open
            yield* Effect.scoped(
              Effect.gen(function* () {
                const partial = yield* store.resume(blob.hash, size)
                yield* feed(partial, blob, missing(blob, partial.have), 9)
                yield* partial.complete
              })
            )
            assert.deepEqual(yield* readAll(store, blob), blob.bytes)
            assert.deepStrictEqual((yield* store.open(blob.hash)).tree, blob.tree)
          }).pipe(Effect.scoped),
        { numRuns: 40 }
      )
    )
  })
}
