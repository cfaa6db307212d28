import { expect, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { TestClock } from "effect/testing"
import * as RoomWatch from "../../src/metrics/RoomWatch.ts"

it.effect("warns once when a store is nearly full, and says when it has room again", () => {
  const lines: Array<unknown> = []
  const logger = Logger.make(({ message }) => void lines.push(...[message].flat()))
  let used = 70
  const rooms = Effect.sync(() => [{ name: "mail", used, limit: 100, flag: "--store-bytes" }])
  return Effect.gen(function* () {
    yield* RoomWatch.watch(rooms)
    const after = Effect.fnUntraced(function* (bytes: number) {
      used = bytes
      yield* TestClock.adjust("1 minute")
      return lines.splice(0)
    })
    expect(yield* after(80)).toEqual([])
    expect(yield* after(81)).toEqual(["a store is nearly full"])
    expect(yield* after(79)).toEqual([])
    expect(yield* after(95)).toEqual([])
    expect(yield* after(74)).toEqual(["a store has room again"])
    expect(yield* after(85)).toEqual(["a store is nearly full"])
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
})
