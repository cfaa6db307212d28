import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { expect, it, vi } from "vitest"
import * as TaskScheduler from "../../src/web/TaskScheduler.ts"

const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, TaskScheduler.layer))

it("gives fibers their turns in order, without timers", async () => {
  const timers = vi.spyOn(globalThis, "setTimeout")
  const turns: Array<string> = []
  const take = (name: string) =>
    Effect.repeat(
      Effect.andThen(
        Effect.sync(() => turns.push(name)),
        Effect.yieldNow
      ),
      { times: 2 }
    )
  await run(Effect.all([take("a"), take("b")], { concurrency: 2 }))
  expect(turns).toEqual(["a", "b", "a", "b", "a", "b"])
  expect(timers).not.toHaveBeenCalled()
  timers.mockRestore()
})

it("lets the page have its turn between those of a busy fiber", async () => {
  const busy = run(
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.forever(Effect.yieldNow))
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      yield* Fiber.interrupt(fiber)
    })
  )
  await expect(busy).resolves.toBeUndefined()
})
