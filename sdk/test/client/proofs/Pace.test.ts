/** How fast a device checks the claims of all its contacts: gently, and yet done within minutes. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer } from "effect"
import { HostPace } from "@kez-chat/sdk/proofs"
import { ProofFetcher, ProofUnreachable } from "@kez-chat/sdk/services"
import { Zstd } from "@kez-chat/sdk/node"
import { append } from "../kit/Liar.ts"
import { eventually, identityOf, join, makeWorld } from "../kit/People.ts"

/** How much faster than the real one the clock of this test goes. */
const factor = 60

const fast = Effect.map(Clock.Clock, (real): Clock.Clock => {
  const start = real.currentTimeMillisUnsafe()
  const millis = () => start + (real.currentTimeMillisUnsafe() - start) * factor
  const nanos = () => BigInt(Math.round(millis())) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) => real.sleep(Duration.millis(Duration.toMillis(duration) / factor))
  }
})

describe("checking the claims of all contacts", () => {
  it.live("asks one host about 200 within ten minutes, at two requests a second at most", () =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const subjects = new Set<string>()
      let pace: ReturnType<typeof HostPace.make> | undefined
      const fetcher = Layer.succeed(ProofFetcher, {
        systems: ["github"],
        decompress: Effect.succeed(Zstd.decompress),
        fetch: ({ text }) =>
          Effect.gen(function* () {
            yield* (pace ??= HostPace.make())
              .turn("api.github.com")
              .pipe(Effect.mapError(({ detail, reason }) => new ProofUnreachable({ subject: text, detail, reason })))
            times.push(yield* Clock.currentTimeMillis)
            subjects.add(text)
            return { found: [], asked: [text], recipe: "github/1" }
          }),
        publication: () => Effect.succeed(undefined)
      })
      const world = makeWorld({ proofs: fetcher })
      const alice = yield* join(world, "alice")
      for (let n = 0; n < 8; n++) {
        const friend = yield* join(world, `friend-${n}`)
        const identity = yield* identityOf(friend.words)
        for (let m = 0; m < 25; m++) {
          yield* append(world, identity, { op: "add", payload: { subject: `github:user-${n}-${m}` } })
        }
        yield* friend.program.close
      }
      const began = yield* Clock.currentTimeMillis
      for (let n = 0; n < 8; n++) yield* alice.chat.addContact(`friend-${n}`)
      yield* eventually(() => subjects.size === 200)
      assert.isAtMost((yield* Clock.currentTimeMillis) - began, 10 * 60_000)
      assert.strictEqual(times.length, 200)
      // Over ten seconds, because a timer of this clock is late by some hundred milliseconds.
      for (const [n, at] of times.entries()) {
        assert.isAtMost(times.slice(n).filter((other) => other - at < 10_000).length, 22)
      }
    }).pipe((test) => Effect.flatMap(fast, (clock) => Effect.provideService(test, Clock.Clock, clock)))
  )
})
