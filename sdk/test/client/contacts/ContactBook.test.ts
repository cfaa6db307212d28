import { Context, Deferred, Effect, Fiber, Latch, Layer } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { MemoryLocalStore } from "@kez-chat/sdk/memory"
import { LocalStore } from "@kez-chat/sdk/services"
import * as ContactBook from "../../../src/client/contacts/ContactBook.ts"
import * as Events from "../../../src/client/internal/Events.ts"
import * as Ledger from "../../../src/client/internal/Ledger.ts"
import * as Trust from "../../../src/client/contacts/Trust.ts"

describe("the contacts", () => {
  it.effect("hold one that was added while they were being read", () =>
    Effect.gen(function* () {
      const memory = MemoryLocalStore.make()
      const answer = Latch.makeUnsafe(false)
      const begun = yield* Deferred.make<void>()
      const store = LocalStore.of({
        ...memory,
        scan: (range) =>
          Effect.tap(memory.scan(range), () => Effect.andThen(Deferred.succeed(begun, undefined), answer.await))
      })
      const services = yield* Layer.build(
        ContactBook.layer.pipe(
          Layer.provideMerge(Layer.mergeAll(Ledger.layer, Events.layer)),
          Layer.provide(Layer.succeed(LocalStore, store))
        )
      )
      const ledger = Context.get(services, Ledger.Ledger)
      const book = Context.get(services, ContactBook.ContactBook)
      const reading = yield* Effect.forkChild(book.all)
      yield* Deferred.await(begun)
      const bob = Trust.newContact("b0".repeat(32), "accepted", 0)
      yield* ledger.transact((transaction) => Effect.sync(() => book.save(transaction, bob)))
      yield* answer.open
      assert.deepStrictEqual(yield* Fiber.join(reading), [bob])
      assert.deepStrictEqual(yield* book.all, [bob])
    })
  )
})
