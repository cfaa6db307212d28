import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { it } from "@effect/vitest"
import { expect } from "vitest"
import { sampled } from "../../src/owner/Sampled.ts"

it.effect("leaves out what follows too soon on its like, and nothing else", () =>
  Effect.gen(function* () {
    const items = [
      { at: 0, kind: "a" },
      { at: 10, kind: "a" },
      { at: 99, kind: "a" },
      { at: 100, kind: "a" },
      { at: 101, kind: "b" },
      { at: 102, kind: "a" },
      { at: 103, kind: undefined },
      { at: 104, kind: undefined },
      { at: 105, kind: "a" }
    ]
    let now = 0
    const timed = Stream.fromIterable(items).pipe(
      Stream.rechunk(1),
      Stream.tap(({ at }) =>
        Effect.andThen(
          TestClock.adjust(at - now),
          Effect.sync(() => void (now = at))
        )
      )
    )
    const passed = yield* Stream.runCollect(sampled(timed, ({ kind }) => kind))
    expect(passed.map(({ at }) => at)).toEqual([0, 100, 101, 102, 103, 104, 105])
  })
)
