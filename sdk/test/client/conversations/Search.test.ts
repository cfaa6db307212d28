import { Effect, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { checkProperty } from "../../kits/Property.ts"
import { join, makeWorld } from "../kit/People.ts"
import { counted, hexOf, primaryOf, stored } from "../kit/StoredMessages.ts"

const [bob, former, carol] = [hexOf(1), hexOf(2), hexOf(3)]

const messages = [
  { peer: bob, text: "Crème brûlée at noon" },
  { peer: former, text: "the old creme" },
  { peer: carol, text: "STRASSE 12" },
  { peer: "own", text: "buy creme" },
  { peer: carol, text: "ΟΔΟΣ Crème" },
  { peer: bob, text: "nothing" }
]

const opened = Effect.gen(function* () {
  const world = makeWorld()
  const { device } = yield* stored(world, messages, (row) =>
    row.primary === primaryOf(bob) ? { ...row, former: [former] } : row
  )
  const { chat } = yield* world.start(device, { offline: true })
  const found = (...args: Parameters<typeof chat.search>) =>
    Effect.map(Stream.runCollect(chat.search(...args)), (hits) => hits.map(({ order }) => order))
  return { chat, found }
})

describe("search", () => {
  it.live("finds words and parts of words in all conversations, newest first, without case and accents", () =>
    Effect.gen(function* () {
      const { found } = yield* opened
      assert.deepStrictEqual(yield* found("creme"), [5, 4, 2, 1])
      assert.deepStrictEqual(yield* found("CRÈME"), [5, 4, 2, 1])
      assert.deepStrictEqual(yield* found("noon rem"), [1])
      assert.deepStrictEqual(yield* found("straße"), [3])
      assert.deepStrictEqual(yield* found("οδος"), [5])
      assert.deepStrictEqual(yield* found("brulee absent"), [])
    })
  )

  it.live("looks where it is told to, and finds nothing for a query without a word", () =>
    Effect.gen(function* () {
      const { chat, found } = yield* opened
      assert.deepStrictEqual(yield* found("creme", { limit: 2 }), [5, 4])
      assert.deepStrictEqual(yield* found("creme", { before: 4 }), [2, 1])
      assert.deepStrictEqual(yield* found("creme", { who: primaryOf(bob) }), [2, 1])
      assert.deepStrictEqual(yield* found("creme", { who: "alice" }), [4])
      for (const query of ["", "  \n", "\u0301"]) assert.deepStrictEqual(yield* found(query), [])
      const error = yield* Effect.flip(found("creme", { who: "nobody" }))
      assert.strictEqual(error._tag, "ContactUnknown")
      yield* chat.block(primaryOf(bob))
      assert.deepStrictEqual(yield* found("creme"), [5, 4])
      assert.deepStrictEqual(yield* found("creme", { who: primaryOf(bob) }), [2, 1])
    })
  )

  it.live("fails without an account", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { account, chat, device, program } = yield* join(world, "alice")
      yield* chat.deleteAccount
      yield* program.close
      const again = yield* world.start(device)
      const error = yield* Effect.flip(Stream.runCollect(again.chat.search("x")))
      assert.strictEqual(error._tag, "NoAccount", account.handle)
    })
  )

  it.live("finds exactly the messages that have every word, as a reader of everything would", () =>
    Effect.gen(function* () {
      const words = ["Äpfel", "apfel", "Birne", "ﬁne", "x"]
      const text = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }).map((list) => list.join(" "))
      const list = fc.array(fc.record({ peer: fc.constantFrom(bob, carol, "own"), text }), { maxLength: 60 })
      const plain = (one: string) => one.replaceAll("Ä", "a").replaceAll("ﬁ", "fi").toLowerCase()
      yield* checkProperty(
        [list, text],
        (all, query) =>
          Effect.scoped(
            Effect.gen(function* () {
              const world = makeWorld()
              const { device } = yield* stored(world, all)
              const { chat } = yield* world.start(device, { offline: true })
              const hits = yield* Stream.runCollect(chat.search(query))
              const expected = all.flatMap((message, index) =>
                plain(query)
                  .split(" ")
                  .every((word) => plain(message.text).includes(word))
                  ? [index + 1]
                  : []
              )
              assert.deepStrictEqual(
                hits.map(({ order }) => order),
                expected.toReversed()
              )
            })
          ),
        { numRuns: 20 }
      )
    })
  )

  it.live("reads pages as it is read, and stops with its reader", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const many = Array.from({ length: 3_000 }, (_, index) => ({
        peer: index % 2 === 0 ? bob : carol,
        text: index === 0 ? "needle" : "hay"
      }))
      const { device } = yield* stored(world, many)
      const { device: watched, read } = counted(device)
      const { chat } = yield* world.start(watched, { offline: true })
      yield* chat.contacts
      read.entries = 0
      read.largest = 0
      assert.lengthOf(yield* Stream.runCollect(Stream.take(chat.search("hay"), 10)), 10)
      assert.isAtMost(read.entries, 512)
      assert.lengthOf(yield* Stream.runCollect(chat.search("needle")), 1)
      assert.isAtMost(read.largest, 256)
    })
  )
})
