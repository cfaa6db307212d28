import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { checkProperty } from "../../kits/Property.ts"
import { makeWorld } from "../kit/People.ts"
import { hexOf, primaryOf, stored } from "../kit/StoredMessages.ts"

const [bob, former, other] = [hexOf(1), hexOf(2), hexOf(3)]

describe("pages of a conversation", () => {
  it.live("are what is before, after or around an order, under every key of the contact", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const peers = [bob, other, former, bob, bob, other]
      const messages = Array.from({ length: 60 }, (_, index) => ({ peer: peers[index % 6]!, text: `m${index}` }))
      const { device } = yield* stored(world, messages, (row) =>
        row.primary === primaryOf(bob) ? { ...row, former: [former] } : row
      )
      const { chat } = yield* world.start(device, { offline: true })
      const orders = messages.flatMap(({ peer }, index) => (peer === other ? [] : [index + 1]))
      const read = (page: Parameters<typeof chat.history>[1]) =>
        Effect.map(chat.history(primaryOf(bob), page), (found) => found.map(({ order }) => order))
      assert.deepStrictEqual(yield* read({}), orders.slice(-50))
      yield* checkProperty([fc.nat(62), fc.nat(45)], (order, limit) =>
        Effect.gen(function* () {
          const before = orders.filter((one) => one < order)
          const after = orders.filter((one) => one > order)
          const from = orders.filter((one) => one >= order)
          const last = (list: ReadonlyArray<number>, count: number) => list.slice(Math.max(0, list.length - count))
          assert.deepStrictEqual(yield* read({ before: order, limit }), last(before, limit))
          assert.deepStrictEqual(yield* read({ after: order, limit }), after.slice(0, limit))
          const older = Math.floor(limit / 2)
          assert.deepStrictEqual(yield* read({ around: order, limit }), [
            ...last(before, older),
            ...from.slice(0, limit - older)
          ])
        })
      )
    })
  )
})
