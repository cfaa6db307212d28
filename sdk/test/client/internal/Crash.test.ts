/**
 * Programs that die at any step, before or after it took effect, and are started again: nothing acknowledged is lost,
 * nothing is there twice, and syncing again changes nothing.
 */
import * as fc from "fast-check"
import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import type { Message } from "@kez-chat/sdk"
import { checkProperty } from "../../kits/Property.ts"
import { deathAt, mortal } from "../kit/Mortal.ts"
import { type Device, makeWorld, newDevice, newWords } from "../kit/People.ts"

const deaths = fc.array(deathAt(14, "commit", "commit", "send", "fetch"), { maxLength: 5 })

const dump = (device: Device) =>
  Effect.map(device.store.scan({ prefix: "" }), (entries) => entries.map(({ key }) => key))

describe("programs that die", () => {
  it.live(
    "lose nothing and show nothing twice",
    () =>
      checkProperty(
        [deaths, deaths, fc.integer({ min: 1, max: 12 })],
        (ofAlice, ofBob, count) =>
          Effect.gen(function* () {
            const world = makeWorld()
            const alice = mortal(world, newDevice(), ofAlice)
            const bob = mortal(world, newDevice(), ofBob)
            const [aliceWords, bobWords] = [newWords(), newWords()]
            const join = (person: typeof alice, handle: string, words: typeof aliceWords) =>
              person.live(({ chat }) => chat.create({ handle, words }))
            yield* Effect.all([join(alice, "alice", aliceWords), join(bob, "bob", bobWords)], { concurrency: 2 })
            yield* alice.live(({ chat }) => chat.addContact("bob"))
            yield* bob.live(({ chat }) => chat.addContact("alice"))

            const wanted = Array.from({ length: count }, (_, index) => `m${index}`)
            const acknowledged = new Set<string>()
            let next = 0
            const sending = alice.live(({ chat }) =>
              Effect.gen(function* () {
                // What was being sent when the program died is not sent again: nobody was told that it was taken.
                while (next < wanted.length) {
                  const text = wanted[next++]!
                  yield* chat.send("bob", text)
                  acknowledged.add(text)
                }
                yield* chat.sync
                yield* chat.flush
              })
            )
            const receiving = bob.live(({ chat }) =>
              Effect.gen(function* () {
                while (next < wanted.length) {
                  yield* chat.sync
                  yield* Effect.sleep(1)
                }
                yield* chat.sync
              })
            )
            yield* Effect.all([sending, receiving], { concurrency: 2 })
            yield* alice.live(({ chat }) => Effect.andThen(chat.sync, chat.flush))

            const texts = (messages: ReadonlyArray<Message>) => messages.map(({ text }) => text)
            const sent = yield* alice.live(({ chat }) => chat.history("bob"))
            const received = yield* bob.live(({ chat }) =>
              Effect.gen(function* () {
                yield* chat.sync
                const first = texts(yield* chat.history("alice"))
                const keys = yield* dump(bob.device)
                yield* chat.sync
                yield* chat.sync
                assert.deepStrictEqual(texts(yield* chat.history("alice")), first)
                const outgoing = (key: string) => /^(out|frame|slot|seen|track|talk|order)/.test(key)
                assert.deepStrictEqual(
                  (yield* dump(bob.device)).filter((key) => !outgoing(key)),
                  keys.filter((key) => !outgoing(key))
                )
                return yield* chat.history("alice")
              })
            )

            assert.deepStrictEqual(texts(received), texts(sent))
            assert.deepStrictEqual([...new Set(texts(received))], texts(received))
            for (const text of acknowledged) assert.include(texts(received), text)
            for (const message of sent) assert.include(["stored", "delivered"], message.state)
            for (const message of received) assert.isTrue(message.gap === undefined && message.fork === undefined)
            assert.strictEqual(new Set(bob.shown).size, bob.shown.length, "shown twice")
            assert.deepStrictEqual(yield* alice.device.store.scan({ prefix: "frame/" }), [])
          }).pipe(Effect.scoped, Effect.timeout("60 seconds")),
        { numRuns: 30 }
      ),
    240_000
  )
})
