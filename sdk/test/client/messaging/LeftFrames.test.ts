import { Effect, Exit } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { LocalStore, StoreError } from "@kez-chat/sdk/services"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { identityOf, makeWorld, newDevice, newWords } from "../kit/People.ts"

describe("KEZ-DM-016 frames that a dead program left", () => {
  it.live("are not sent before they are on the disk", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const words = newWords()
      const bob = yield* identityOf(words)
      const device = newDevice()
      const unsynchronised = {
        ...device,
        store: LocalStore.of({
          ...device.store,
          sync: Effect.fail(new StoreError({ reason: "io", detail: "no disk" }))
        })
      }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const alice = yield* world.start(device, {})
          yield* alice.chat.create({ handle: "alice", words: newWords() })
          const peer = yield* world.start(newDevice(), {})
          yield* peer.chat.create({ handle: "bob", words })
          yield* alice.chat.addContact("bob")
        })
      )
      // The message is committed, and the program ends before the disk took it.
      yield* Effect.scoped(
        Effect.flatMap(world.start(unsynchronised, {}), ({ chat }) => Effect.flip(chat.send("bob", "hello")))
      ).pipe(Effect.exit)
      const before = world.broker.stored(bob.key).length
      const next = yield* Effect.scoped(Effect.flatMap(world.start(unsynchronised, {}), ({ chat }) => chat.flush)).pipe(
        Effect.exit
      )
      assert.isTrue(Exit.isFailure(next))
      assert.strictEqual(world.broker.stored(bob.key).length, before, "sent, and not on the disk")
      yield* Effect.scoped(Effect.flatMap(world.start(device, {}), ({ chat }) => chat.flush))
      assert.strictEqual(world.broker.stored(bob.key).length, before + 1)
    }).pipe(Effect.provide(NodeCrypto.layer), Effect.scoped)
  )
})
