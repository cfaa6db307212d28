import { assert, describe, it } from "vitest"
import * as Lane from "../../../src/client/messaging/sending/Lane.ts"
import { keyOf } from "../kit/People.ts"

const to = keyOf(`ed25519:${"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}`)
const job = (order: number): Lane.Job => ({ order, to, kezId: `${order}`, main: true, isSigned: false })

const laneOf = (count: number) => {
  const lane = Lane.make<string>()
  for (let order = 0; order < count; order++) lane.add(job(order))
  return lane
}

/** Takes into flight whatever the lane allows. */
const fill = (lane: Lane.Lane<string>) => {
  const taken: Array<Lane.Job> = []
  for (let next = lane.next(); next !== undefined; next = lane.next()) taken.push(next)
  return taken
}
const orders = (jobs: ReadonlyArray<Lane.Job>) => jobs.map(({ order }) => order)

describe("a lane", () => {
  it("sends one frame first, and then keeps its window full, in order", () => {
    const lane = laneOf(40)
    const [first, ...none] = fill(lane)
    assert.deepStrictEqual([first?.order, none], [0, []])
    lane.settle(first!, true)
    const window = fill(lane)
    assert.deepStrictEqual(
      orders(window),
      Array.from({ length: 16 }, (_, index) => index + 1)
    )
    lane.settle(window[4]!, true)
    assert.deepStrictEqual(orders(fill(lane)), [17])
  })

  it("sends nothing behind a refusal, and begins again at the oldest frame that was not accepted", () => {
    const lane = laneOf(20)
    lane.settle(fill(lane)[0]!, true)
    const window = fill(lane)
    lane.settle(window[2]!, false)
    lane.settle(window[0]!, true)
    lane.settle(window[1]!, true)
    assert.deepStrictEqual(fill(lane), [])
    for (const other of window.slice(3, 15)) lane.settle(other, true)
    lane.settle(window[15]!, false)
    assert.strictEqual(lane.inFlight, 0)
    assert.isFalse(lane.isEmpty)
    lane.recall()
    const again = fill(lane)
    assert.deepStrictEqual(orders(again), [3])
    lane.settle(again[0]!, true)
    assert.deepStrictEqual(orders(fill(lane)), [16, 17, 18, 19])
  })

  it("recalls what an interrupted round left in flight, and ignores answers to what it dropped", () => {
    const lane = laneOf(3)
    lane.settle(fill(lane)[0]!, true)
    const left = fill(lane)
    lane.answer(left[0]!, "ok")
    lane.recall()
    assert.deepStrictEqual(lane.answers(), [])
    // One at first: answers that could not be recorded must not make whole windows go again and again.
    assert.deepStrictEqual(orders(fill(lane)), [1])
    lane.settle(left[0]!, true)
    assert.deepStrictEqual(orders(fill(lane)), [2])
    lane.clear()
    assert.isFalse(lane.isFlying(left[1]!))
    lane.settle(left[1]!, false)
    assert.isTrue(lane.isEmpty)
  })

  it("hands every frame out once, in order, when more are added all the time", () => {
    const lane = laneOf(1)
    const taken: Array<number> = []
    for (let order = 1; order <= 5_000; order++) {
      lane.add(job(order))
      for (const next of fill(lane)) {
        taken.push(next.order)
        lane.settle(next, true)
      }
    }
    assert.deepStrictEqual(
      [...taken, ...orders(fill(lane))],
      Array.from({ length: 5_001 }, (_, index) => index)
    )
  })
})
