import { Deferred, Effect, Fiber, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import type { Event } from "@kez-chat/sdk"
import * as Events from "../../../src/client/internal/Events.ts"

const event = (n: number): Event => ({ _tag: "Dropped", code: "frame_malformed", detail: String(n) })
const numberOf = (event: Event) => (event._tag === "Dropped" ? Number(event.detail) : event._tag)

describe("events", () => {
  it.effect("reach every listener, from the moment it listens", () =>
    Effect.gen(function* () {
      const events = Events.make()
      events.publish(event(0))
      const listen = Effect.forkChild(Stream.runCollect(Stream.take(events.stream, 3)), { startImmediately: true })
      const listeners = yield* Effect.all([listen, listen])
      for (const n of [1, 2, 3, 4]) events.publish(event(n))
      for (const listener of listeners) {
        assert.deepStrictEqual((yield* Fiber.join(listener)).map(numberOf), [1, 2, 3])
      }
    })
  )

  it.effect("never wait for a slow listener, who is told how many were missed, at the place where they were", () =>
    Effect.gen(function* () {
      const events = Events.make()
      const gate = yield* Deferred.make<void>()
      const seen: Array<Event> = []
      const slow = yield* Effect.forkChild(
        Stream.runForEach(events.stream, (event) =>
          Effect.andThen(
            Deferred.await(gate),
            Effect.sync(() => seen.push(event))
          )
        ),
        { startImmediately: true }
      )
      for (let n = 0; n < 10_000; n++) events.publish(event(n))
      yield* Deferred.succeed(gate, undefined)
      while (!seen.some(({ _tag }) => _tag === "Missed")) yield* Effect.yieldNow
      events.publish(event(99_999))
      while (seen.at(-1)?._tag !== "Dropped" || numberOf(seen.at(-1)!) !== 99_999) yield* Effect.yieldNow
      yield* Fiber.interrupt(slow)
      const missed = seen.findIndex(({ _tag }) => _tag === "Missed")
      assert.deepStrictEqual(
        seen.slice(0, missed).map(numberOf),
        Array.from({ length: missed }, (_, n) => n)
      )
      assert.isAtLeast(missed, 4_096)
      assert.deepStrictEqual(seen[missed], { _tag: "Missed", count: 10_000 - missed })
      assert.strictEqual(seen.length, missed + 2)
    })
  )
})
