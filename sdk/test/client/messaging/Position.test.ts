import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Position from "../../../src/client/messaging/Position.ts"

const epoch = "AAAAAAAAAAAAAAAAAAAAAA"
const at = (base: number, inbox = base, self = base, ahead: ReadonlyArray<number> = []): Position.Position => ({
  epoch,
  base,
  inbox,
  self,
  ahead
})

describe("Position", () => {
  it("takes a live frame that follows on its own subject, whatever lies between on the other", () => {
    assert.strictEqual(Position.judge(at(10), { subject: "inbox", seq: 15, lastSeq: 9 }), "take")
    assert.deepStrictEqual(Position.afterLive(at(10), { subject: "inbox", seq: 15 }), at(10, 15, 10, [15]))
    assert.strictEqual(Position.judge(at(10, 15, 10, [15]), { subject: "inbox", seq: 20, lastSeq: 15 }), "take")
    assert.strictEqual(Position.judge(at(10, 15, 10, [15]), { subject: "self", seq: 12, lastSeq: 10 }), "take")
  })

  it("moves the base as far as both subjects are level", () => {
    assert.deepStrictEqual(Position.afterLive(at(10, 15, 10, [15]), { subject: "self", seq: 12 }), at(12, 15, 12, [15]))
    assert.deepStrictEqual(Position.afterLive(at(10, 15, 10, [15]), { subject: "self", seq: 20 }), at(15, 15, 20, [20]))
  })

  it("fetches when the frame before is not held, and before the stream is known", () => {
    assert.strictEqual(Position.judge(at(10), { subject: "inbox", seq: 15, lastSeq: 12 }), "fetch")
    assert.strictEqual(Position.judge(Position.start, { subject: "inbox", seq: 1, lastSeq: 0 }), "fetch")
    // Reordered: 15 was taken, 14 comes late and is not what followed 10.
    assert.strictEqual(Position.judge(at(10, 15, 10, [15]), { subject: "inbox", seq: 14, lastSeq: 10 }), "fetch")
  })

  it("knows what it took", () => {
    assert.strictEqual(Position.judge(at(10), { subject: "inbox", seq: 10, lastSeq: 9 }), "known")
    assert.strictEqual(Position.judge(at(10, 15, 10, [15]), { subject: "inbox", seq: 15, lastSeq: 9 }), "known")
  })

  it("is level with the end of a fetched page, and forgets what lies ahead within it", () => {
    assert.deepStrictEqual(Position.afterFetched(at(10, 30, 10, [15, 30]), 20), at(20, 30, 20, [30]))
  })

  it("recognises another stream, and one that ends too early", () => {
    const page = { epoch, last: 10, pending: 0, frames: [] }
    assert.isFalse(Position.isOtherStream(at(10), page))
    assert.isFalse(Position.isOtherStream(Position.start, page))
    assert.isTrue(Position.isOtherStream(at(10), { ...page, epoch: "BAAAAAAAAAAAAAAAAAAAAA" }))
    assert.isFalse(Position.isBeyondEnd(at(10), page))
    assert.isTrue(Position.isBeyondEnd(at(11), page))
  })

  it("never passes over a frame, whatever arrives live and wherever fetches stop", () => {
    const frames = fc.array(fc.constantFrom("inbox" as const, "self" as const), { minLength: 1, maxLength: 30 })
    const steps = fc.array(
      fc.oneof(fc.record({ live: fc.nat(29) }), fc.record({ fetch: fc.integer({ min: 1, max: 30 }) })),
      { maxLength: 60 }
    )
    fc.assert(
      fc.property(frames, steps, (subjects, script) => {
        const stream = subjects.map((subject, index) => ({
          subject,
          seq: index + 1,
          lastSeq: subjects.slice(0, index).lastIndexOf(subject) + 1
        }))
        let position: Position.Position = { ...Position.start, epoch }
        const taken = new Set<number>()
        for (const step of script) {
          if ("live" in step) {
            const live = stream[step.live % stream.length]!
            if (Position.judge(position, live) !== "take") continue
            assert.isFalse(taken.has(live.seq), "taken twice")
            taken.add(live.seq)
            position = Position.afterLive(position, live)
          } else {
            const page = stream.filter(({ seq }) => seq > position.base).slice(0, step.fetch)
            for (const { seq } of page) {
              if (position.ahead.includes(seq)) continue
              assert.isFalse(taken.has(seq), "fetched twice")
              taken.add(seq)
            }
            const end = page.at(-1)?.seq
            if (end !== undefined) position = Position.afterFetched(position, end)
          }
          const below = stream.filter(({ seq }) => seq <= position.base)
          assert.isTrue(
            below.every(({ seq }) => taken.has(seq)),
            "passed over"
          )
          assert.deepStrictEqual(
            [...position.ahead].sort((a, b) => a - b),
            [...taken].filter((seq) => seq > position.base).sort((a, b) => a - b)
          )
        }
      })
    )
  })
})
