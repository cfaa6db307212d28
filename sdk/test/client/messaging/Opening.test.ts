import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { turns } from "../../../src/client/messaging/receiving/Opening.ts"

/** Work that leaves nothing else a turn, as opening frames does. */
const busy = (millis: number) =>
  Effect.sync(() => {
    for (const began = performance.now(); performance.now() - began < millis;);
  })

describe("opening the frames of a page", () => {
  it.live("gives other work its turn once it took 20 ms, and only then", () =>
    Effect.gen(function* () {
      const turn = turns()
      let others = 0
      setImmediate(() => others++)
      yield* turn
      yield* turn
      assert.strictEqual(others, 0)
      yield* Effect.andThen(busy(25), turn)
      assert.strictEqual(others, 1)
    })
  )
})
